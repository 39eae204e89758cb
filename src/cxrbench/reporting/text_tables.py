"""A small table of text with a title and a note: shown on the page by text-table.html.j2, in files as Markdown."""

import dataclasses
import textwrap
from collections.abc import Collection, Sequence


@dataclasses.dataclass(frozen=True)
class TextTable:
    """A table of words and numbers; columns from ``numeric`` to before ``text_after`` hold numbers.

    A cell of several lines shows all but the first in small.
    """

    title: str
    note: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: int
    text_after: int = 99
    marked: Collection[tuple[int, int]] = ()  # row and column of cells to be shown in bold


def markdown(table: TextTable) -> str:
    """The table under its title and note, closed by a newline."""
    rows = [
        [f"**{cell}**" if (i, j) in table.marked else cell for j, cell in enumerate(row)]
        for i, row in enumerate(table.rows)
    ]
    numbers = range(table.numeric, table.text_after)
    return f"## {table.title}\n\n{table.note}\n\n{markdown_rows(table.heads, rows, numbers)}"


def plain(table: TextTable, width: int = 100) -> str:
    """The table for a terminal, under its title and its note, which is broken at ``width``; closed by a newline."""
    rows = [[" ".join(cell.splitlines()) for cell in row] for row in (table.heads, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    numbers = range(table.numeric, table.text_after)
    lines = [
        "  ".join(
            cell.rjust(wide) if i in numbers else cell.ljust(wide) for i, (cell, wide) in enumerate(zip(row, widths))
        )
        for row in rows
    ]
    return "\n".join([table.title, textwrap.fill(table.note, width), "", *(line.rstrip() for line in lines)]) + "\n"


def markdown_rows(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int]) -> str:
    """A Markdown table, closed by a newline; the columns in ``numbers`` are set to the right."""
    rule = ["---:" if i in numbers else "---" for i in range(len(heads))]
    return "".join(f"| {' | '.join(' '.join(cell.splitlines()) for cell in row)} |\n" for row in (heads, rule, *rows))
