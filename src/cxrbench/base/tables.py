"""Column names and types of every table that stages hand on, and the one reader and writer of them.

A table is a CSV file: people open it in a spreadsheet, Git and DVC show what changed in it. Types are
fixed here, an empty cell is an empty string (text columns) or NaN (float columns), and a file is
written under a temporary name and renamed when whole, so that a reader never sees half a table.
"""

import csv
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text

PARTS = ("train", "validation", "test")
PROTOCOLS = ("paper", "patient", "official")

_IMAGE = {
    "cohort": "str",
    "image_id": "str",  # unique inside a cohort
    "path": "str",  # absolute, a phantom's relative to the workspace; see workspace.image_file
    "sha256": "str",
    "phash": "str",  # perceptual hash, hexadecimal; see images/perceptual.py
    "width": "int64",  # pixels
    "height": "int64",  # pixels
    "mode": "str",  # Pillow's name: L, RGB, I;16, ...
    "bytes": "int64",
    "brightness": "float64",  # mean grey, 0 black to 255 white
    "border": "float64",  # share of the area that is a uniform margin
    "label": "str",  # normal, pneumonia, covid, or empty: neither
    "view_position": "str",  # as the source writes it: PA, AP, LATERAL, LL, ... or empty
    "view": "str",  # frontal, lateral, or empty: the metadata leaves it open
    "patient_id": "str",  # strict reading of the source's keys: whatever may be one person is one
    "patient_id_loose": "str",  # the other reading; the same where the source leaves no doubt
    "study_id": "str",
    "source_part": "str",  # the source's own split: train, validation, test, or empty
}

TABLES: dict[str, dict[str, str]] = {
    # one row an image that can be used
    "manifest": _IMAGE,
    # one row a file that can not
    "rejects": {"cohort": "str", "path": "str", "reason": "str", "detail": "str"},
    # the manifest's frontal images, with how we know it
    "frontal": {**_IMAGE, "view_by": "str", "view_score": "float64"},  # metadata | network; P(frontal) or NaN
    # what a person should look at
    "review": {
        "cohort": "str",
        "image_id": "str",
        "path": "str",
        "view": "str",
        "view_score": "float64",
        "reason": "str",
    },
    # one row an image a run may use; a column for each protocol holds train, validation, test, or empty: unused
    "assignment": {
        "cohort": "str",  # what a setting calls 'cohort': a cohort, or 'views', which draws on several
        "source": "str",  # the cohort that the image comes from; names of images and patients hold inside it
        "image_id": "str",
        "path": "str",
        "sha256": "str",
        "patient_id": "str",
        "label": "str",
        "target": "int64",  # 1: the label a model is to find, 0: the other
        **dict.fromkeys(PROTOCOLS, "str"),
    },
    # the splits that were drawn anew, one row an image and seed; no rows where none were
    "redrawn": {
        "cohort": "str",
        "source": "str",
        "image_id": "str",
        "seed": "int64",  # of the runs that train on this split
        **dict.fromkeys(PROTOCOLS, "str"),
    },
    # images of one cohort that are one picture
    "duplicates": {
        "cohort": "str",
        "image_a": "str",  # image_id; image_a < image_b
        "image_b": "str",
        "kind": "str",  # identical file | near-duplicate
        "distance": "int64",  # bits in which the perceptual hashes differ, the mirrored hash where that is nearer
        "correlation": "float64",  # of the pixels, best over small shifts
        "mirrored": "int64",  # 1: one is the other's mirror image
    },
    # what two parts of one protocol, or two labels, share
    "leaks": {
        "cohort": "str",
        "protocol": "str",  # empty where 'across' is labels
        "across": "str",  # parts | labels
        "a": "str",  # a part, or a label
        "b": "str",
        "kind": "str",  # patient, strict | patient, loose | identical file | near-duplicate
        "groups": "int64",  # patients, or groups of images that are one picture, found on both sides
        "images": "int64",  # images of b that belong to those groups
        "examples": "str",  # a few of the patients or images, separated by blanks
    },
    # what two parts of one redrawn split share: 'leaks' across parts, for each seed
    "redrawn_leaks": {
        "seed": "int64",
        "cohort": "str",
        "protocol": "str",
        "a": "str",
        "b": "str",
        "kind": "str",
        "groups": "int64",
        "images": "int64",
        "examples": "str",
    },
    # what a file betrays without being looked at: one row a cohort, protocol and feature
    "shortcuts": {
        "cohort": "str",
        "protocol": "str",
        "feature": "str",  # file size, pixel area, aspect ratio, colour mode, mean brightness, border
        "n": "int64",  # test images
        "auc": "float64",  # on test; the direction is taken from the training images
    },
    # what `cxrbench views` says of each file of a folder
    "views": {
        "path": "str",
        "view": "str",  # frontal, lateral, or empty: the network abstains, or the file cannot be used
        "view_score": "float64",  # P(frontal), or NaN
        "reason": "str",  # why there is no view
    },
    # what `cxrbench predict` says of each image, and a served model, without the path
    "predictions": {
        "path": "str",
        "label": "str",  # what the image is called, or empty: no label is given, and 'reason' says why
        "finding": "str",  # the label that 'probability' is of
        "probability": "float64",  # of the finding, the mean of the networks of all seeds; NaN: not asked
        "threshold": "float64",  # frozen on validation; from here on the probability speaks for the finding
        "abstain_from": "float64",  # from this probability on no label is given
        "abstain_below": "float64",  # up to below this probability
        "view": "str",  # frontal, lateral, or empty: the view network abstains or was not asked
        "view_score": "float64",  # P(frontal), or NaN
        "reason": "str",  # why there is no label
    },
    # which run answers which cell of which study
    "grid": {"study": "str", "setting": "str", "seed": "int64", "run": "str"},
    # what a run says of each image: P(target = 1)
    "scores": {
        "source": "str",
        "image_id": "str",
        "patient_id": "str",
        "part": "str",
        "target": "int64",
        "score": "float64",
    },
    # how a run went; loss is the training loss, val_* the same on validation
    "history": {
        "epoch": "int64",
        "loss": "float64",
        "accuracy": "float64",
        "val_loss": "float64",
        "val_accuracy": "float64",
        "seconds": "float64",
    },
    # one row a study, setting, seed and part
    "metrics": {
        "study": "str",
        "setting": "str",
        "seed": "int64",
        "run": "str",
        "part": "str",  # validation | test
        "status": "str",  # ok | degenerate | diverged
        "n": "int64",
        **dict.fromkeys(("accuracy", "precision", "recall", "specificity", "f1", "auc", "loss", "mse"), "float64"),
        "first_epoch_seconds": "float64",
        "epoch_seconds": "float64",  # mean of the epochs after the first
    },
    # where the best network of a study looks: one row an image of a sample of its hits and misses
    "attention": {
        "study": "str",
        "setting": "str",  # the study's winner on validation
        "seed": "int64",  # of the winner's runs the best on validation
        "run": "str",
        "part": "str",  # validation | test
        "group": "str",  # true positive | true negative | false positive | false negative
        "source": "str",
        "image_id": "str",
        "score": "float64",
        "inside": "float64",  # share of the attention that lies inside the lungs' box; NaN: there is no attention
        "area": "float64",  # share of the image that the box takes
        "cells": "str",  # rows x columns of the map, such as 4 x 4
        "picture": "str",  # its file beside the table, or empty
    },
}


def empty(table: str) -> pd.DataFrame:
    """A table of no rows with the right columns and types."""
    return _typed(pd.DataFrame(columns=list(TABLES[table])), table)


def read_table(path: str | Path, table: str) -> pd.DataFrame:
    """Reads a table; raises CxrbenchError where the file is absent, damaged or of other columns."""
    path = Path(path)
    columns = TABLES[table]
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise CxrbenchError(f"{path} does not exist; run 'dvc repro' to make it") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise CxrbenchError(
            f"{path} is not a readable {table} table ({error}); delete it and run 'dvc repro'"
        ) from None
    if list(frame.columns) != list(columns):
        raise CxrbenchError(
            f"{path} has columns {list(frame.columns)}, a {table} table has {list(columns)};"
            " run 'dvc repro' to make it anew"
        )
    try:
        return _typed(frame, table)
    except (ValueError, TypeError) as error:
        raise CxrbenchError(
            f"{path} holds a value of the wrong type ({error}); run 'dvc repro' to make it anew"
        ) from None


def read_if_there(path: str | Path, table: str) -> pd.DataFrame:
    """``read_table``, or no rows where there is no file: an earlier version did not write this table."""
    return read_table(path, table) if Path(path).exists() else empty(table)


def write_table(path: str | Path, frame: pd.DataFrame, table: str) -> None:
    """Writes a table whole or not at all; raises CxrbenchError where a column is missing or unknown."""
    write_text(path, table_text(frame, table))


def table_text(frame: pd.DataFrame, table: str) -> str:
    """A table as CSV; raises CxrbenchError where a column is missing or unknown."""
    columns = TABLES[table]
    if set(frame.columns) != set(columns):
        raise CxrbenchError(f"a {table} table has columns {list(columns)}, this one has {list(frame.columns)}")
    typed = _typed(frame[list(columns)], table)
    plain = {"index": False, "lineterminator": "\n", "float_format": "%.9g"}
    text = typed.to_csv(**plain)
    if "\r" in text:  # Python 3.11 writes a carriage return bare, and readers take it for the end of a row
        text = typed.to_csv(**plain, quoting=csv.QUOTE_NONNUMERIC)
    return text


def _typed(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    result = {}
    for name, dtype in TABLES[table].items():
        column = frame[name]
        if dtype == "float64" and not pd.api.types.is_numeric_dtype(column):
            column = column.replace("", "nan")
        if dtype == "str":
            column = column.fillna("")
        result[name] = column.astype(pd.api.types.pandas_dtype(dtype))
    return pd.DataFrame(result, columns=list(TABLES[table])).reset_index(drop=True)
