"""requirements.lock: one for every Python and platform; what it holds is what pyproject.toml asks for."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYTHONS = ["3.11", "3.12", "3.13"]
MACHINES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")]
DIRECT = [Requirement(line) for line in PROJECT["dependencies"]]
LOCKED = ("dev", "docs")  # extras that the lock holds
DEVELOPMENT = [Requirement(line) for name in LOCKED for line in PROJECT["optional-dependencies"][name]]
EXTRAS = [
    Requirement(line)
    for name, lines in PROJECT["optional-dependencies"].items()
    if name not in LOCKED
    for line in lines
]

# What is used without an import, and by what.
NOT_IMPORTED = {
    "dvc": "the command",
    "pylibjpeg": "pydicom's decoders",
    "pylibjpeg-libjpeg": "pydicom's decoders",
    "pylibjpeg-openjpeg": "pydicom's decoders",
    "pylibjpeg-rle": "pydicom's decoders",
}


def locked():
    """Requirement -> number of hashes, for each entry of the lock."""
    entries = re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)[1:]
    return [(Requirement(entry.split("\\\n")[0]), entry.count("--hash=sha256:")) for entry in entries]


def imported(*folders):
    """For each package that a Python file of ``folders`` imports, at whatever depth: the distributions that hold it."""
    known = packages_distributions()
    modules = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules.add(node.module.split(".")[0])
    return [{canonicalize_name(name) for name in known[module]} for module in modules & set(known) - {"cxrbench"}]


def names(requirements):
    return {canonicalize_name(requirement.name) for requirement in requirements}


def test_every_entry_of_the_lock_has_hashes_and_none_an_address() -> None:
    entries = locked()
    assert len(entries) > 150
    assert [requirement.name for requirement, hashes in entries if not hashes] == []
    assert [requirement.name for requirement, _ in entries if requirement.url] == []
    assert "://" not in LOCK


def test_the_lock_names_one_version_of_each_package_for_every_python_and_platform() -> None:
    found = [canonicalize_name(requirement.name) for requirement, _ in locked()]
    assert sorted(set(found)) == sorted(found)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("system", "machine"), MACHINES)
def test_what_the_project_asks_for_is_locked(python, system, machine) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system}
    environment |= {"platform_machine": machine, "implementation_name": "cpython"}
    environment |= {"platform_python_implementation": "CPython"}
    pins = {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement, _ in locked()
        if (requirement.marker or Marker("python_version > '3'")).evaluate(environment)
    }
    for asked in DIRECT + DEVELOPMENT:
        assert asked.specifier.contains(pins[canonicalize_name(asked.name)]), asked


def test_the_package_make_and_the_workflow_name_the_same_pythons() -> None:
    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}" in SpecifierSet(PROJECT["requires-python"])] == PYTHONS
    tried = re.search(r"^PYTHON \?= (.*) python3$", MAKEFILE, re.MULTILINE)[1].split()
    assert tried == [f"python{version}" for version in reversed(PYTHONS)]
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["all"]["strategy"]["matrix"] == {"python": PYTHONS}


@pytest.mark.parametrize(
    ("folders", "declared"),
    [(["src"], DIRECT + EXTRAS), (["tests", "benchmarks"], DIRECT + EXTRAS + DEVELOPMENT)],
    ids=["src", "tests"],
)
def test_what_is_imported_is_declared(folders, declared) -> None:
    assert [holders for holders in imported(*folders) if not holders & names(declared)] == []


def test_what_is_declared_is_used() -> None:
    assert names(DIRECT) - set().union(*imported("src", "tests")) - set(NOT_IMPORTED) == set()
