"""What modules of cxrbench do, as a hash: it changes with what they compute and stays where only their text changes.

Hashed is a module's syntax tree. Left out of it are, because they change nothing that is computed:

- comments, blank lines, the layout of lines, quotes and brackets, which a syntax tree does not hold;
- docstrings, other lines that hold a constant alone, and ``pass``;
- the annotations of functions and variables, what is imported from ``typing`` or ``collections.abc`` for them, and
  blocks under ``if TYPE_CHECKING``. The fields of a class and a function with a decorator keep theirs: dataclasses and
  ``functools.singledispatch`` read them;
- the order of imports that follow each other, and how many stand in one line.

Where a module imports another one that is hashed too, the tree holds that one's hash in place of its name, so that
the hash covers all that the module can call, and a file may be moved or renamed. An import of another module of
cxrbench counts by the imported name alone. What is left: a module that is used by its own name (``losses.build``) has
that name in its user's tree, and an error message, a local name and the order of definitions count.

The form is one of our own: ``ast.dump`` and ``ast.unparse`` write the same tree differently under Python 3.11 and 3.13.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1]  # the folder of the package cxrbench
FOR_TYPES = ("typing", "collections.abc")
UNSEEN_FIELDS = ("ctx", "kind", "type_comment", "type_ignores")  # follow from the rest, or are comments


class Code:
    """The modules of the packages ``followed``, by their full names, in the package at folder ``source``."""

    def __init__(self, followed: Iterable[str], source: Path = SOURCE) -> None:
        self.followed, self.source = tuple(followed), source
        self.hashes: dict[str, str] = {}  # module -> its hash, of all that were asked for and what those import

    def sha256(self, module: str) -> str:
        """The hash of ``module`` ('cxrbench.training.fit') and of all modules of ``followed`` that it can import.

        Imports inside functions count. Raises FileNotFoundError where there is no such module.
        """
        if module not in self.hashes:
            path = self._path(module)
            if path is None:
                raise FileNotFoundError(f"there is no module {module} below {self.source}")
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            tree = _Bare(package, self._stands_for).visit(ast.parse(path.read_text(encoding="utf-8")))
            self.hashes[module] = hashlib.sha256(ascii(_form(tree)).encode()).hexdigest()
        return self.hashes[module]

    def _stands_for(self, module: str) -> str | None:
        """What a tree holds in place of the name of an imported module; None where that is no module of ours."""
        if self._path(module) is None:
            return None
        followed = any(f"{module}.".startswith(f"{package}.") for package in self.followed)
        return self.sha256(module) if followed else ""

    def _path(self, module: str) -> Path | None:
        package, *parts = module.split(".")
        if package != self.source.name:
            return None
        stem = self.source.joinpath(*parts)
        found = (path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file())
        return next(found, None)


class _Bare(ast.NodeTransformer):
    """Takes out of a tree what computes nothing; ``stands_for`` a module of ours replaces its name."""

    def __init__(self, package: str, stands_for: Callable[[str], str | None]) -> None:
        self._package, self._stands_for = package, stands_for
        self._of_class = False  # whether the statement at hand is one of a class's body

    def generic_visit(self, node: ast.AST) -> Any:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            if isinstance(statements := getattr(node, name, None), list):
                setattr(node, name, _sorted_imports(statements))
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        return None

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Python 3.12 puts an empty string behind a format that is itself formatted."""
        node.values = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> Any:
        if ast.unparse(node.test) not in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            return self.generic_visit(node)
        return self.generic_visit(ast.Module(node.orelse, [])).body

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, of_class=True)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if not node.decorator_list:
            node.returns, of = None, node.args
            for argument in (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg):
                if argument is not None:
                    argument.annotation = None
        return self._inside(node, of_class=False)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if self._of_class:
            return self.generic_visit(node)
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        return [
            ast.Import([ast.alias(alias.name if (known := self._stands_for(alias.name)) is None else known, bound)])
            for alias in node.names
            for bound in [alias.asname or alias.name]
        ]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        module = importlib.util.resolve_name("." * node.level + (node.module or ""), self._package)
        return [] if module in FOR_TYPES else [self._from(module, alias) for alias in node.names]

    def _from(self, module: str, alias: ast.alias) -> ast.stmt:
        bound = alias.asname or alias.name
        if (own := self._stands_for(f"{module}.{alias.name}")) is not None:
            return ast.Import([ast.alias(own, bound)])
        known = self._stands_for(module)
        return ast.ImportFrom(module if known is None else known, [ast.alias(alias.name, bound)], 0)

    def _inside(self, node: ast.AST, of_class: bool) -> ast.AST:
        outer, self._of_class = self._of_class, of_class
        try:
            return self.generic_visit(node)
        finally:
            self._of_class = outer


def _sorted_imports(statements: list[ast.stmt]) -> list[ast.stmt]:
    """The same statements, with imports that follow each other in one fixed order."""
    result: list[ast.stmt] = []
    imports: list[ast.stmt] = []
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            imports.append(statement)
            continue
        result += [*sorted(imports, key=_ascii_form), statement]
        imports = []
    return result + sorted(imports, key=_ascii_form)


def _ascii_form(node: ast.AST) -> str:
    return ascii(_form(node))


def _form(value: Any) -> Any:
    """A tree as nested tuples: kind, then the fields that hold something, so that a new empty field changes nothing."""
    if isinstance(value, ast.AST):
        fields = sorted(_fields(value), key=lambda field: field[0])
        return (type(value).__name__, *((name, _form(item)) for name, item in fields))
    return [_form(item) for item in value] if isinstance(value, list) else value


def _fields(node: ast.AST) -> Iterable[tuple[str, Any]]:
    for name, item in ast.iter_fields(node):
        if name not in UNSEEN_FIELDS and item is not None and item != []:
            yield name, item
