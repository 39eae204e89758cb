"""The label of each row of a table: from a column of words, or from columns of 0 and 1, one for each finding."""

import re
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.labels import normal_label
from cxrbench.cohorts.source_table import SourceTable, lacking
from cxrbench.config.cohort import COLUMNS

BETWEEN = re.compile(r"[|;]")  # several findings in one cell: NIH ChestX-ray14 writes 'Effusion|Pneumonia'
PRESENT, ABSENT = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}
OPEN = {"", "-1", "-1.0", "nan"}  # CheXpert: uncertain, not mentioned


def label_columns(positive: str, negative: str) -> dict[str, tuple[str, ...]]:
    """The columns that a table of 0 and 1 has instead of 'label', and their names: those of the two labels."""
    return {"positive": (positive,), "negative": (negative,)} if positive else {}


def row_labels(content: SourceTable, table: Path, positive: str, negative: str) -> tuple[pd.Series, list[str]]:
    """The label of each row and sentences for the user; '' where the row leaves it open.

    The positive label stands above the negative one, and these above other findings of the same row. Raises
    CxrbenchError where the table says no label, or has another word than 0 and 1 in a column of a finding.
    """
    names = content.names
    if "positive" in names and names.get("label", names["positive"]) == names["positive"]:
        return _of_findings(content, table, positive, negative)
    if "label" not in names:
        raise lacking(table, content.header, "label", COLUMNS)
    several = content.rows["label"].str.contains(BETWEEN)
    labels = content.rows["label"].map(lambda cell: _of_cell(cell, positive, negative))
    if not several.any():
        return labels, []
    chosen = int(labels[several].isin([positive, negative]).sum())
    return labels, [
        f"table {table}: {several.sum():,} rows name several findings in {names['label']}; {chosen:,} of them have"
        f" '{positive}' or '{negative}' among these and count as that ('{positive}' where they have both)"
    ]


def _of_cell(cell: str, positive: str, negative: str) -> str:
    if (whole := normal_label(cell)) in (positive, negative):
        return whole
    findings = [normal_label(finding) for finding in BETWEEN.split(cell)]
    chosen = (label for label in (positive, negative) if label in findings)
    return next(chosen, "") or "|".join(findings)


def _of_findings(content: SourceTable, table: Path, positive: str, negative: str) -> tuple[pd.Series, list[str]]:
    """1 in the column of a label gives it; 0 in that of the positive one the other, if that has no column."""
    cells = {name: content.rows[name].str.lower() for name in ("positive", "negative") if name in content.names}
    for name, column in cells.items():
        strange = column[~column.isin(PRESENT | ABSENT | OPEN)]
        if len(strange):
            raise CxrbenchError(
                f"table {table} has {content.names[name]} '{strange.iloc[0]}' in line {strange.index[0]}; the column of"
                " a finding holds 1, 0, -1 (uncertain) or nothing. If another column has the label in words, name it:"
                " columns: {label: ITS NAME}"
            )
    is_negative = cells["negative"].isin(PRESENT) if "negative" in cells else cells["positive"].isin(ABSENT)
    labels = pd.Series("", index=content.rows.index).mask(is_negative, negative)
    labels = labels.mask(cells["positive"].isin(PRESENT), positive)
    rule = f"1 in {content.names['negative']}" if "negative" in cells else f"0 in {content.names['positive']}"
    return labels, [
        f"table {table}: '{positive}' is 1 in {content.names['positive']}, '{negative}' is {rule};"
        f" {(labels == '').sum():,} of {len(labels):,} rows say neither and are in no split"
    ]
