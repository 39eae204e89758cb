"""What more seeds would decide: how many, the command that trains them, and how long that takes here."""

import math
from collections.abc import Sequence

from cxrbench.base.language import N_, _
from cxrbench.evaluation.verdicts import Verdict
from cxrbench.reporting.results import Results
from cxrbench.reporting.text_tables import TextTable

MOST = 30  # seeds that anybody would train
TITLE = N_("What more seeds would decide")
NOTE = N_(
    "Each row: the undecided claims that this many seeds a setting would decide in four of five repeats, and what"
    " trains them; only the new seeds are trained, of every study. The time is that of our runs one after the other, on"
    " the machine that trained them."
)


def more_seeds(verdicts: Sequence[Verdict], results: Results) -> TextTable | None:
    """A row a number of seeds; None where no number of seeds decides anything."""
    wanted = [one for one in verdicts if one.verdict == "undecided" and one.seeds_needed <= MOST]
    if not wanted:
        return None
    rows = []
    for seeds in sorted({math.ceil(one.seeds_needed) for one in wanted}):
        claims = [one.claim.id for one in wanted if math.ceil(one.seeds_needed) <= seeds]
        listed = ", ".join(map(str, _seeds(results.seeds, seeds)))
        rows.append([str(seeds), ", ".join(claims), f"dvc exp run -S 'seeds=[{listed}]'", _time(results, seeds)])
    heads = (_("Seeds"), _("Claims"), _("Command"), _("Training time"))
    return TextTable(_(TITLE), _(NOTE), heads, rows, 4)


def _seeds(present: Sequence[int], count: int) -> list[int]:
    """The present seeds and as many of the smallest others as make ``count``."""
    others = [seed for seed in range(count + len(present)) if seed not in present]
    return [*present, *others[: max(0, count - len(present))]]


def _time(results: Results, seeds: int) -> str:
    """How long the runs of new seeds take, from those of the present ones."""
    new = max(0, seeds - len(results.seeds))
    trained = sum(float(record["train_seconds"]) for record, _ in results.runs.values())
    hours = trained / len(results.seeds) * new / 3600
    if hours < 2:
        return _("{minutes} min").format(minutes=f"{60 * hours:,.0f}")
    return _("{hours} h").format(hours=f"{hours:,.1f}")
