"""The view filter's review list as a gallery: what a person should look at, the hardest first."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.language import N_, _
from cxrbench.images.thumbnail import thumbnail
from cxrbench.reporting.gallery import MOST, Gallery, Item, gallery

NOTE = N_(
    "Images that the view filter leaves to a person: first those whose metadata say one view while the network is sure"
    " of the other, the surest first; then those of open view where it abstains, the most doubtful first."
)


def review(
    found: pd.DataFrame,
    restricted: Collection[str],
    most: int = MOST,
    picture: Callable[[str], np.ndarray | str] = thumbnail,
) -> Gallery:
    """The gallery of the table 'review'; no pixel of a cohort in ``restricted`` is read."""
    ordered = hardest_first(found)
    items = [
        Item(row.path, row.image_id, _caption(row), _("withheld: restricted") if row.cohort in restricted else "")
        for row in ordered.itertuples()
    ]
    note = " ".join([_(NOTE), *(_withheld(name) for name in sorted(set(found["cohort"]) & set(restricted)))])
    return gallery(_("Review list"), note, items, most, picture)


def hardest_first(found: pd.DataFrame) -> pd.DataFrame:
    """Rows of 'review': sure contradictions of the metadata, then open views by doubt, then what has no score."""
    score, known = found["view_score"], found["view"] != ""
    ease = np.where(known, 1 - (score - (found["view"] == "frontal")).abs(), 1 + (score - 0.5).abs())
    by = found.assign(_ease=ease).sort_values(["_ease", "cohort", "image_id"], na_position="last")
    return by.drop(columns="_ease").reset_index(drop=True)


def _caption(row: Any) -> str:
    told = [f"P(frontal) {row.view_score:.3f}"] if row.view_score == row.view_score else []
    told += [_("{view} by metadata").format(view=_(row.view)) if row.view else _("view open"), row.cohort]
    return f"{', '.join(told)}: {_(row.reason)}"


def _withheld(cohort: str) -> str:
    return _(
        "Cohort {cohort} is restricted, so this page holds none of its pixels; cohorts.{cohort}.restricted: false in"
        " params.yaml would show them."
    ).format(cohort=cohort)
