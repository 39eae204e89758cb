"""Reads a table that came with a data set: a CSV file, plain or compressed, all cells as text."""

import zlib
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError


def read_source_csv(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> pd.DataFrame:
    """The named columns as stripped text, '' where a cell is empty and for an optional column that is absent."""
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True)
    except FileNotFoundError:
        raise CxrbenchError(f"table {path} does not exist; correct the cohort's root and table") from None
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        EOFError,
        OSError,
        zlib.error,
    ) as error:
        raise CxrbenchError(f"table {path} cannot be read ({error}); fetch or write it anew") from None
    frame.columns = frame.columns.str.strip()
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise CxrbenchError(
            f"table {path} has columns {', '.join(frame.columns)} and lacks {', '.join(missing)}; add what is missing"
        )
    if frame.empty:
        raise CxrbenchError(f"table {path} has its columns but no rows; correct the cohort's root and table")
    columns = {
        name: frame[name].fillna("").str.strip() if name in frame.columns else pd.Series("", index=frame.index)
        for name in required + optional
    }
    return pd.DataFrame(columns)
