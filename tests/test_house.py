"""The house stands as drawn: imports flow one way, files and functions are small, stages share their names."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cxrbench.base import plugins
from cxrbench.base.code import Code
from cxrbench.config.setting import Setting
from cxrbench.runs import fingerprint

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cxrbench"
FILES = sorted(SOURCE.rglob("*.py"))
STAGES = ("download", "view-filter", "split", "validate", "train-grid", "evaluate", "report")
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))

# Who may import whom.
BELOW = {"config", "base"}
ALLOWED = {
    "stages": {
        *("views", "cohorts", "splits", "checks", "tracking", "reporting", "published", "runs", "evaluation", "images"),
        "attention",
        "training.backend",  # which names the backend and loads no Keras
        *BELOW,
    },
    "cli": {"commands", *BELOW},
    "commands": {
        *(
            "cohorts",
            "prediction",
            "views",
            "runs",
            "tracking",
            "images",
            "published",
            "reporting",
            "evaluation",
            "training.backend",
        ),
        *BELOW,
    },
    "prediction": {"views", "runs", "training", "evaluation", "images", *BELOW},
    "views": {"runs", "training", "evaluation", "images", "splits", *BELOW},
    "cohorts": {"images", *BELOW},
    "splits": {"images", *BELOW},
    "checks": BELOW,
    "attention": {"evaluation", "training", "images", *BELOW},
    "tracking": {"runs", "training", "evaluation", "images", *BELOW},
    "reporting": {"evaluation", "published", "images", *BELOW},
    "published": {"evaluation", *BELOW},
    "runs": {"training", "images", *BELOW},
    "evaluation": BELOW,
    "images": BELOW,
    "training": BELOW,
    "config": {"base"},
    "base": set(),
}
HEAVY = ("tensorflow", "keras", "mlflow", "great_expectations", "matplotlib", "sklearn")


def outputs(stage):
    """The paths of its outputs, metrics among them."""
    listed = [out for key in ("outs", "metrics", "plots") for out in PIPELINE["stages"][stage].get(key, [])]
    return [path.removeprefix("${kept}") for out in listed for path in out]


def module_of(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imports_of(path, *, of_functions=True, for_types=False):
    """The modules of cxrbench that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set()
    for node in ast.walk(tree):
        types_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if (types_only and not for_types) or (isinstance(node, ast.FunctionDef) and not of_functions):
            skipped |= {id(child) for child in ast.walk(node)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found |= {name for name in names if name in MODULES and MODULES[name] != path}
    return found


def reached_from(module):
    """Every module that importing and calling ``module`` can load, the packages they lie in included."""
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        parents = {".".join(name.split(".")[:depth]) for depth in range(2, name.count(".") + 1)}
        todo += imports_of(MODULES[name]) | (parents & set(MODULES))
    return seen - {"cxrbench", "cxrbench.stages"}  # whose file holds a docstring alone


def room_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def test_imports_go_one_way():
    wrong = []
    for name, path in MODULES.items():
        for target in imports_of(path) - {"cxrbench"}:
            allowed = {room_of(name), *ALLOWED.get(room_of(name), set())}
            if room_of(target) not in allowed and not any(f"cxrbench.{one}".startswith(target) for one in allowed):
                wrong.append(f"{name} -> {target}")
    assert wrong == []


def test_there_are_no_cycles():
    graph = {name: imports_of(path) - {"cxrbench"} for name, path in MODULES.items()}
    while leaves := [name for name, targets in graph.items() if not targets & set(graph)]:
        for name in leaves:
            del graph[name]
    assert graph == {}


@pytest.mark.parametrize(("library", "room"), [("mlflow", "tracking"), ("great_expectations", "checks")])
def test_a_library_that_costs_seconds_is_imported_in_one_room(library, room):
    users = {
        name
        for name, path in MODULES.items()
        if f"import {library}" in (text := path.read_text()) or f"from {library}" in text
    }
    assert users
    assert {room_of(name) for name in users} == {room}


def test_files_are_mostly_under_300_lines_and_no_function_is_above_60():
    long_files, long_functions = [], []
    files = [*FILES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
    for path in files:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 300:
            long_files.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 60:
                long_functions.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert long_functions == []
    assert len(long_files) <= len(files) // 20, long_files  # a file is one idea, and never cut for its length


def test_every_module_and_public_function_of_arrays_says_what_it_does():
    silent = [name for name, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_stage_module_and_test_share_one_name():
    assert tuple(PIPELINE["stages"]) == STAGES
    for stage in STAGES:
        module = stage.replace("-", "_")
        assert PIPELINE["stages"][stage]["cmd"] == f"python -m cxrbench.stages.{module}"
        assert (SOURCE / "stages" / f"{module}.py").is_file()
        assert (ROOT / "tests" / "stages" / f"test_{module}.py").is_file()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_own_file_and_on_the_packages_it_uses_and_no_others(stage):
    own = f"cxrbench.stages.{stage.replace('-', '_')}"
    used = {f"src/cxrbench/{room_of(name)}" for name in reached_from(own) - {own}}
    listed = [dep for dep in PIPELINE["stages"][stage]["deps"] if dep.startswith("src/")]
    assert set(listed) == {*used, MODULES[own].relative_to(ROOT).as_posix()}
    assert len(set(listed)) == len(listed)


def test_the_fingerprint_covers_all_that_a_worker_computes_with():
    """base holds no arithmetic, and of config the setting and the form of its loss are hashed as values."""
    reached = {name for entry in fingerprint.COMMON for name in reached_from(entry)} | {*fingerprint.COMMON}
    assert {room_of(name) for name in reached} - {"base", "config"} == {"images", "training"}
    code = Code(fingerprint.HASHED)
    empty = code.sha256("cxrbench.training")  # a docstring alone
    for entry in fingerprint.COMMON:
        code.sha256(entry)
    expected = {name for name in reached if room_of(name) in ("images", "training") and code.sha256(name) != empty}
    assert expected == {name for name in code.hashes if code.hashes[name] != empty}


def test_modules_are_found_by_name_in_five_places_all_of_which_the_fingerprint_knows(monkeypatch):
    """An import that only the running program knows is followed by no reader of the code."""
    calls = ("import_module(", "plugins.load(")
    finders = {
        name
        for name, path in MODULES.items()
        if room_of(name) in ("images", "training") and any(call in path.read_text(encoding="utf-8") for call in calls)
    }
    assert finders == {f"cxrbench.training.{place}" for place in ("augment", "losses", "models", "optimizers", "steps")}
    named = {"model": "model", "loss": "loss", "optimizer": "optimizer", "augment": "augmentation"}
    monkeypatch.setattr(plugins, "_announced", lambda kind: {"mine": f"mine.{kind}"})
    modules = fingerprint.modules(Setting(**dict.fromkeys(named, "mine")))
    assert set(modules) == {*fingerprint.COMMON, *(f"mine.{kind}" for kind in named.values()), modules[2]}
    assert modules[2].startswith("cxrbench.training.steps.")


def test_what_is_hashed_as_code_lies_beside_no_other_file():
    """A table that the code reads would decide scores and be in no fingerprint."""
    others = [
        path.relative_to(SOURCE).as_posix()
        for room in ("images", "training")
        for path in (SOURCE / room).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert others == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_nothing_that_is_not_there(stage):
    written = [out for other in STAGES for out in outputs(other)]
    for dep in PIPELINE["stages"][stage]["deps"]:
        assert (ROOT / dep).exists() or any(dep == out or dep.startswith(f"{out}/") for out in written), dep


@pytest.mark.parametrize("stage", STAGES)
def test_no_parameter_is_part_of_a_command_for_the_shell(stage):
    assert PIPELINE["stages"][stage]["cmd"] == f"python -m cxrbench.stages.{stage.replace('-', '_')}"


def test_every_server_that_we_name_listens_on_this_machine_alone():
    pages = [ROOT / "Makefile", ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.py")]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    hosts = [line for line in lines if re.search(r"--host\b|0\.0\.0\.0", line)]
    assert hosts
    assert all(re.search(r"--host[ =]127\.0\.0\.1\b", line) for line in hosts), hosts


@pytest.mark.parametrize("stage", STAGES)
def test_every_output_can_be_kept_from_dvc_push(stage):
    listed = [out for key in ("outs", "metrics", "plots") for out in PIPELINE["stages"][stage].get(key, [])]
    assert listed
    for out in listed:
        ((path, options),) = out.items()
        assert path.startswith("${kept}")
        assert options == {"remote": "${kept}"}


def test_importing_a_stage_loads_nothing_heavy():
    modules = [f"cxrbench.stages.{stage.replace('-', '_')}" for stage in STAGES]
    code = f"import sys, {', '.join(modules)}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_stage_that_trains_depends_on_every_setting():
    params = set(PIPELINE["stages"]["train-grid"]["params"])
    assert {name for name in Setting.model_fields if name != "redraw"} | {"split.redraw"} <= params
