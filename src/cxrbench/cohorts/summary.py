"""What stage download says of a cohort: counts, and what a later stage would stumble over, with its cause."""

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.listing import Listing

MOST_LABELS = 8  # named in one sentence


def refuse_no_image(name: str, rejects: pd.DataFrame, listing: Listing) -> None:
    """The error of a cohort without a usable image: what became of its files, and of the first one."""
    if rejects.empty:
        raise CxrbenchError(
            f"cohort '{name}' has no image: its reader lists no file{_skipped(listing)}; correct cohorts.{name}.root"
        )
    first = rejects.iloc[0]
    detail = f" ({first['detail']})" if first["detail"] else ""
    raise CxrbenchError(
        f"cohort '{name}' has no usable image among {len(rejects):,} files{_reasons(rejects)}{_skipped(listing)}; the"
        f" first, {first['path']}, is {first['reason']}{detail}; correct cohorts.{name}.root"
        + (" or the paths in its table" if first["reason"] == "missing" else "")
    )


def summary(name: str, images: pd.DataFrame, rejects: pd.DataFrame, listing: Listing) -> str:
    """One line: usable images, rejected files by reason, files that the reader skipped."""
    return f"{name}: {len(images):,} images, {len(rejects):,} rejects{_reasons(rejects)}{_skipped(listing)}"


def warnings(name: str, images: pd.DataFrame, listing: Listing, positive: str, negative: str) -> list[str]:
    """Sentences on what the reader noted, labels that no image has, and images without a patient."""
    said = [f"{name}: {note}" for note in listing.notes]
    for key, label in (("positive", positive), ("negative", negative)):
        if not (images["label"] == label).any():
            said.append(
                f"{name}: no image has the label '{label}' (cohorts.{name}.{key}); {_labels(images['label'])}; no part"
                " of a split can be filled until the two agree"
            )
    alone = int((images["patient_id"] == images["image_id"]).sum())
    if alone:
        whose = "no image has a" if alone == len(images) else f"{alone:,} of {len(images):,} images have no"
        said.append(
            f"{name}: {whose} patient key, so each of them counts as a patient of its own and protocol patient cannot"
            " keep one person's images together; if you know the patients, say so by file_names or a table"
        )
    return said


def _reasons(rejects: pd.DataFrame) -> str:
    reasons = rejects["reason"].value_counts().sort_index()
    return "".join(f", {count:,} {reason}" for reason, count in reasons.items())


def _skipped(listing: Listing) -> str:
    kinds = ", ".join(f"{files:,} {kind}" for kind, files in listing.skipped.items() if files)
    return f"; skipped: {kinds}" if kinds else ""


def _labels(labels: pd.Series) -> str:
    counts = labels.replace("", "none").value_counts()
    shown = ", ".join(f"{label} ({count:,})" for label, count in counts.head(MOST_LABELS).items())
    more = f" and {len(counts) - MOST_LABELS:,} others" if len(counts) > MOST_LABELS else ""
    return f"its labels are {shown}{more}"
