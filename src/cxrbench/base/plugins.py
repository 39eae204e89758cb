"""What params.yaml may name and is found by that name: one module each, of cxrbench or of a package of your own.

A module lies in the folder of its kind below and has its name, or an installed package announces it:

    [project.entry-points."cxrbench.model"]
    tiny_net = "my_package.tiny_net"

docs/your-study.md shows what a module of each kind offers. Nothing is imported to learn which names there are.
"""

import ast
import functools
import importlib
import importlib.metadata
import importlib.util
from pathlib import Path
from types import ModuleType

from cxrbench.base.errors import CxrbenchError

PACKAGE = Path(__file__).parents[1]
KINDS = {  # kind -> the folder of cxrbench in which its modules lie
    "model": "training/models",
    "loss": "training/losses",
    "optimizer": "training/optimizers",
    "augmentation": "training/augment",
    "source": "cohorts/sources",
    "metric": "evaluation/metrics",
}


def built_in(kind: str) -> tuple[str, ...]:
    """The names of cxrbench's own modules of ``kind``, in order of the alphabet."""
    return tuple(sorted(path.stem for path in (PACKAGE / KINDS[kind]).glob("*.py") if path.stem != "__init__"))


def names(kind: str) -> tuple[str, ...]:
    """Every name of ``kind``: cxrbench's own, then those of installed packages."""
    return (*built_in(kind), *(name for name in _announced(kind) if name not in built_in(kind)))


def module_of(kind: str, name: str) -> str:
    """The full name of the module that ``name`` stands for.

    Raises CxrbenchError where there is none, or where an installed package takes a name that cxrbench has.
    """
    announced = _announced(kind)
    if name in built_in(kind):
        if name in announced:
            raise CxrbenchError(
                f"{kind} {name} is cxrbench's own, and {announced[name]} of an installed package takes the same name;"
                " give that one another name in its pyproject.toml"
            )
        return f"{PACKAGE.name}.{KINDS[kind].replace('/', '.')}.{name}"
    if name not in announced:
        raise CxrbenchError(
            f"{kind} {name} is in no installed package; install the one that has it, or name one of"
            f" {', '.join(names(kind))}"
        )
    return announced[name]


def load(kind: str, name: str) -> ModuleType:
    """The module that ``name`` stands for, imported; raises CxrbenchError where it can't be."""
    module = module_of(kind, name)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CxrbenchError(f"{kind} {name} is module {module}, which can't be imported ({error})") from error


@functools.cache
def constant(kind: str, name: str, variable: str) -> object:
    """What the module of ``name`` sets ``variable`` to, read from its text: to import it may cost seconds.

    None where it sets no such variable to a plain value. Raises CxrbenchError where there is no such module.
    """
    module = module_of(kind, name)
    package, source = source_of(module)
    stem = source.joinpath(*module.split(".")[1:])
    path = next((one for one in (stem / "__init__.py", stem.with_suffix(".py")) if one.is_file()), None)
    if path is None:
        raise CxrbenchError(f"{kind} {name} is {module}, and package {package} has no such file; install it anew")
    set_to = {
        target.id: node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return set_to.get(variable)


def source_of(module: str) -> tuple[str, Path]:
    """The outermost package of ``module`` and where it lies: a folder, or a file without its '.py'.

    Raises CxrbenchError where the module is not there, or is no file of Python.
    """
    package = module.partition(".")[0]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise CxrbenchError(f"module {module} is not installed as files of Python; install its package")
    path = Path(spec.origin)
    return package, path.parent if path.name == "__init__.py" else path.with_suffix("")


@functools.cache
def _announced(kind: str) -> dict[str, str]:
    """Name -> module, of all installed packages."""
    return {one.name: one.value for one in importlib.metadata.entry_points(group=f"cxrbench.{kind}")}
