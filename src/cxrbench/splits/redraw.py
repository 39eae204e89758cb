"""The split drawn anew for each seed, so that the spread over seeds holds that of the split too.

A figure of one split is a figure of the images that chance put there; Bouthillier et al. 2021 (arXiv 2103.03098) found
it to be the largest part of the spread of many benchmarks, and ask that it be varied with the other sources. Quotas
and rules are those of the fixed split: whole patients under 'patient'; under 'official' test stays within the source's
own test and only what that leaves open is drawn.
"""

from collections.abc import Sequence

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PROTOCOLS, TABLES, empty
from cxrbench.config.quotas import Quotas
from cxrbench.splits import protocols
from cxrbench.splits.leaks import find_leaks, with_keys


def redraw(
    shown: pd.DataFrame, quotas: Quotas, split_seed: int, seeds: Sequence[int], cohort: str, official_shortfall: float
) -> pd.DataFrame:
    """The table 'redrawn' of one cohort: a split under each protocol for each of ``seeds``.

    ``shown`` is as ``protocols.assign`` takes it, with the column 'picture'. A seed's split depends on ``split_seed``
    and that seed alone. Raises CxrbenchError, with the seed, where a quota can't be met.
    """
    drawn = [empty("redrawn")]
    for seed in seeds:
        entropy = (split_seed, 1 + seed)  # NumPy takes (s, 0) for s, which is the fixed split's
        try:
            parts = {
                protocol: protocols.assign(shown, quotas, protocol, entropy, cohort, official_shortfall, "picture")
                for protocol in PROTOCOLS
            }
        except CxrbenchError as error:
            raise CxrbenchError(f"split.redraw, seed {seed}: {error}") from None
        drawn.append(shown[["image_id"]].assign(cohort=cohort, source=cohort, seed=seed, **parts))
    return pd.concat(drawn)[list(TABLES["redrawn"])]


def redrawn_leaks(
    redrawn: pd.DataFrame, assignment: pd.DataFrame, images: pd.DataFrame, duplicates: pd.DataFrame
) -> pd.DataFrame:
    """The table 'redrawn_leaks'; the last three arguments are as ``leaks.with_keys`` takes them."""
    found = [empty("redrawn_leaks")]
    keyed = with_keys(assignment, images, duplicates).drop(columns=list(PROTOCOLS))
    for seed, rows in redrawn.groupby("seed"):
        split = keyed.merge(rows.drop(columns="seed"), on=["cohort", "source", "image_id"], validate="1:1")
        leaks = find_leaks(split)
        found.append(leaks[leaks["across"] == "parts"].assign(seed=seed)[list(TABLES["redrawn_leaks"])])
    return pd.concat(found)
