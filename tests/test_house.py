"""The house stands as drawn: imports flow one way, files and functions are small, stages share their names."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cxrbench"
FILES = sorted(SOURCE.rglob("*.py"))
STAGES = ("download", "view-filter", "split", "validate", "train-grid", "evaluate", "report")
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))

# Who may import whom.
BELOW = {"config", "base"}
ALLOWED = {
    "stages": {"views", "cohorts", "splits", "checks", "tracking", "reporting", "runs", "evaluation", "images", *BELOW},
    "cli": {"views", "reporting", "images", *BELOW},
    "views": {"runs", "training", "evaluation", "images", "splits", *BELOW},
    "cohorts": {"images", *BELOW},
    "splits": {"images", *BELOW},
    "checks": BELOW,
    "tracking": {"runs", "training", "evaluation", "images", *BELOW},
    "reporting": {"evaluation", "images", *BELOW},
    "runs": {"training", "images", *BELOW},
    "evaluation": BELOW,
    "images": BELOW,
    "training": BELOW,
    "config": {"base"},
    "base": set(),
}
HEAVY = ("tensorflow", "keras", "mlflow", "great_expectations", "matplotlib", "sklearn")


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
            if room_of(target) not in {room_of(name), *ALLOWED.get(room_of(name), set())}:
                wrong.append(f"{name} -> {target}")
    assert wrong == []


def test_there_are_no_cycles():
    graph = {name: imports_of(path) - {"cxrbench"} for name, path in MODULES.items()}
    while leaves := [name for name, targets in graph.items() if not targets & set(graph)]:
        for name in leaves:
            del graph[name]
    assert graph == {}


def test_only_one_file_imports_mlflow_and_only_checks_great_expectations():
    text = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
    assert {n for n, t in text.items() if "import mlflow" in t or "from mlflow" in t} == {"cxrbench.tracking.tracker"}
    users = {n for n, t in text.items() if "import great_expectations" in t or "from great_expectations" in t}
    assert users
    assert all(name.startswith("cxrbench.checks.") for name in users)


def test_no_file_is_above_250_lines_and_no_function_above_60():
    long = []
    for path in [*FILES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 250:
            long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 60:
                long.append(f"{path.relative_to(ROOT)}: {node.name}, {node.end_lineno - node.lineno + 1} lines")
    assert long == []


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
def test_a_stage_depends_on_the_code_it_can_run(stage):
    module = f"cxrbench.stages.{stage.replace('-', '_')}"
    deps = [Path(dep) for dep in PIPELINE["stages"][stage]["deps"]]
    uncovered = []
    for name in sorted(reached_from(module)):
        path = MODULES[name].relative_to(ROOT)
        if not any(dep == path or dep in path.parents for dep in deps):
            uncovered.append(path.as_posix())
    assert uncovered == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_nothing_that_is_not_there(stage):
    keys = ("outs", "metrics", "plots")
    written = [out for other in PIPELINE["stages"].values() for key in keys for out in other.get(key, [])]
    for dep in PIPELINE["stages"][stage]["deps"]:
        assert (ROOT / dep).exists() or any(dep == out or dep.startswith(f"{out}/") for out in written), dep


def test_importing_a_stage_loads_nothing_heavy():
    modules = [f"cxrbench.stages.{stage.replace('-', '_')}" for stage in STAGES]
    code = f"import sys, {', '.join(modules)}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
