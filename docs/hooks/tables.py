"""The tables of reference/tables.md, from cxrbench.base.tables: names and types from the program, meanings from the
comments that stand beside them in its source, and from SAID where the source leaves them to the name."""

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
SAID = {  # column, or table and column -> its meaning; a table alone -> what it holds
    ("rejects",): "one row a file that can't be used",
    ("cohort",): "name of the cohort in params.yaml",
    ("source",): "the cohort that the image comes from",
    ("sha256",): "checksum of the file",
    ("bytes",): "size of the file",
    ("study_id",): "the source's number of the examination",
    ("rejects", "reason"): "why it can't be used",
    ("views", "path"): "as the folder was given",
    ("predictions", "path"): "as it was given",
    ("detail",): "more about the reason",
    ("view_by",): "how the view is known: metadata or network",
    ("view_score",): "P(frontal) by the view network, or NaN",
    ("review", "reason"): "why a person should look at it",
    **{(name,): f"part under protocol {name}: train, validation, test, or empty" for name in tables.PROTOCOLS},
    ("image_b",): "the other image",
    ("b",): "the other part, or the other label",
    ("shortcuts", "protocol"): "protocol of the split",
    ("study",): "name of the study in params.yaml",
    ("setting",): "the setting's label, such as lr=0.01",
    ("seed",): "seed of the run, or of its split",
    ("run",): "fingerprint of the run",
    ("part",): "train, validation or test",
    ("target",): "1: the label a model is to find, 0: the other",
    ("score",): "P(target = 1), as the run says",
    ("epoch",): "from 1",
    ("history", "loss"): "training loss",
    ("history", "accuracy"): "accuracy on the training images",
    ("val_loss",): "the training's loss on validation images",
    ("val_accuracy",): "accuracy on validation images",
    ("seconds",): "of the epoch",
    ("n",): "images",
    ("accuracy",): "share of images called rightly",
    ("precision",): "share of rightly called among those called positive",
    ("recall",): "share of rightly called among the positive (sensitivity)",
    ("specificity",): "share of rightly called among the negative",
    ("f1",): "harmonic mean of precision and recall",
    ("auc",): "area under the ROC curve",
    ("loss",): "cross-entropy of the probability, nats",
    ("mse",): "mean squared distance of score and target (Brier score)",
    ("first_epoch_seconds",): "seconds of the first epoch",
}


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
    rows = "".join(
        f"| `{column}` | {TYPES[kind]} | {_meaning(table, column, meanings)} |\n"
        for column, kind in tables.TABLES[table].items()
    )
    about = SAID.get((table,)) or meanings[table,]
    return f"### {table}\n\n{about[0].upper()}{about[1:]}.\n\n| column | type | meaning |\n|---|---|---|\n{rows}"


def _meaning(table: str, column: str, meanings: dict[tuple[str, ...], str]) -> str:
    """Raises KeyError where nobody says what the column is."""
    shared = meanings.get(("leaks", column)) if table == "redrawn_leaks" else None  # whose columns are those of leaks
    own = SAID.get((table, column)) or meanings.get((table, column)) or shared or meanings.get(("", column))
    return (own or SAID[column,]).replace("|", "\\|")
