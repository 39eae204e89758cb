"""The tables of reference/tables.md, from cxrbench.base.tables: names and types from the program, meanings from the
comments that stand beside them in its source."""

import ast
import io
import tokenize
from pathlib import Path
from typing import Any

from mkdocs.structure.pages import Page

from cxrbench.base import tables

PAGE = "reference/tables.md"
PLACE = "<!-- tables -->"
TYPES = {"str": "text", "int64": "whole number", "float64": "number"}


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Puts a section a table into the page."""
    return markdown.replace(PLACE, tables_text()) if page.file.src_uri == PAGE else markdown


def tables_text() -> str:
    """Every table, Markdown."""
    meanings = comments(Path(tables.__file__).read_text(encoding="utf-8"))
    return "\n".join(_section(name, meanings) for name in tables.TABLES)


def comments(source: str) -> dict[tuple[str, ...], str]:
    """(table,) -> what stands above its entry; (table, column) -> what stands behind it; '' for the images' columns."""
    lines = source.splitlines()
    at = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found: dict[tuple[str, ...], str] = {}
    for node in ast.parse(source).body:
        target = getattr(node, "target", None) or getattr(node, "targets", [None])[0]
        name, value = getattr(target, "id", ""), getattr(node, "value", None)
        if name == "_IMAGE":
            found |= {("", column): text for column, text in _columns(value, at)}
        elif name == "TABLES":
            for key, entry in zip(value.keys, value.values):
                above = key.lineno - 1
                if lines[above - 1].lstrip().startswith("#"):
                    found[key.value,] = at[above]
                if isinstance(entry, ast.Dict):
                    found |= {(key.value, column): text for column, text in _columns(entry, at)}
    return found


def _columns(entry: ast.Dict, at: dict[int, str]) -> list[tuple[str, str]]:
    """The columns that share their line with no other, with the comment behind them."""
    keys = [key for key in entry.keys if key is not None]
    rows = [key.lineno for key in keys]
    return [(key.value, at[key.lineno]) for key in keys if key.lineno in at and rows.count(key.lineno) == 1]


def _section(table: str, meanings: dict[tuple[str, ...], str]) -> str:
    columns = tables.TABLES[table]
    rows = "".join(
        f"| `{column}` | {TYPES[kind]} | {_cell(meanings.get((table, column)) or meanings.get(('', column), ''))} |\n"
        for column, kind in columns.items()
    )
    about = meanings.get((table,), "")
    about = f"{about[0].upper()}{about[1:]}.\n\n" if about else ""
    return f"### {table}\n\n{about}| column | type | meaning |\n|---|---|---|\n{rows}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
