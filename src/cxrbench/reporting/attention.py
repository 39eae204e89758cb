"""Where the best network of each study looks: the share of its Grad-CAM inside the lungs' box, and a few pictures."""

import base64
import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from cxrbench.base.language import N_, _
from cxrbench.evaluation.summaries import Stat
from cxrbench.reporting.gallery import Card, Gallery
from cxrbench.reporting.text_tables import TextTable

GROUPS = (N_("true positive"), N_("true negative"), N_("false positive"), N_("false negative"))


@dataclasses.dataclass(frozen=True)
class Attention:
    """What the template shows."""

    answer: str  # empty where nothing was computed
    table: TextTable | None
    limits: str
    without: str  # of which studies nothing was computed, and what it needs
    galleries: Sequence[Gallery]


def section(
    found: pd.DataFrame, pictures: Mapping[str, bytes], studies: Collection[str], restricted: Collection[str]
) -> Attention:
    """The section on the table 'attention'; ``pictures`` are JPEG files by name, ``studies`` all of the grid.

    A study with an image of a cohort in ``restricted`` counts as not computed.
    """
    held = set(found.loc[found["source"].isin(list(restricted)), "study"])
    found = found[~found["study"].isin(list(held))]
    missing = [study for study in studies if study not in set(found["study"])]
    without = _(
        "Not computed for {studies}. It needs a network that the run store still holds, its images at hand, all of"
        " them frontal, and a cohort that is not restricted."
    ).format(studies=", ".join(missing))
    limits = _(
        "How to read it: an attention that is the same everywhere has the share of the box’s area. A share above it"
        " says that the network looks at the box more than beside it; a share below it, that something outside of the"
        " lungs counts. The box is wide, so a high share does not say that the finding itself was seen. The attention"
        " is coarse: it has few cells, which are spread over the whole image, and in a network without padding they"
        " lie nearer to the middle of the image than they are shown. It tells where a feature was found, not how a"
        " dense layer weighs its place. These are images of one network, and no difference is tested: another seed may"
        " look elsewhere."
    )
    if found.empty:
        return Attention("", None, "", without, [])
    return Attention(_answer(found), _table(found), limits, without if missing else "", _galleries(found, pictures))


def _answer(found: pd.DataFrame) -> str:
    means = [rows["inside"].mean() for _study, rows in found.groupby("study", sort=False)]
    known = [mean for mean in means if math.isfinite(mean)]
    if not known:
        return _("None of these networks has any attention: nothing in the images speaks for the class that it calls.")
    area = _percent(found["area"].mean())
    if len(known) == 1 or _percent(min(known)) == _percent(max(known)):
        return _(
            "On average {share} % of the attention lies inside the lungs’ box, which takes {area} % of the image."
        ).format(share=_percent(known[0]), area=area)
    return _(
        "On average {least} to {most} % of the attention lies inside the lungs’ box, by study; the box takes {area} %"
        " of the image."
    ).format(least=_percent(min(known)), most=_percent(max(known)), area=area)


def _table(found: pd.DataFrame) -> TextTable:
    rows = []
    for study, images in found.groupby("study", sort=False):
        one = images.iloc[0]
        winner = _("{setting}\nseed {seed}").format(setting=one["setting"], seed=one["seed"])
        by_group = [_cell(images[images["group"] == group]["inside"]) for group in GROUPS]
        rows.append([str(study), winner, *by_group, _percent(one["area"]), one["cells"].replace("x", "×")])
    most = int(found.groupby(["study", "group"]).size().max())
    part = found["part"].iloc[0]
    note = _(
        "Which share of the attention lies inside the lungs, in %: mean ± sample SD over n images. Selection: of each"
        " study’s winner on validation the run that does best on validation, and of its {part} images at most {most} a"
        " group, drawn by a fixed seed. The attention is Grad-CAM (Selvaraju et al. 2017): what speaks for the class"
        " that the network calls, in its last maps of at least 4 × 4 cells. The lungs are a box, the same in every"
        " image: the one that the setting hide: lungs blacks out. Positive is the label that the network is to find;"
        " “without”: images of which nothing speaks for the called class, which are in no mean."
    ).format(part=_(part), most=most)
    groups = [_(group).capitalize() for group in GROUPS]
    heads = [_("Study"), _("Winner"), *groups, _("Area of the box"), _("Cells")]
    return TextTable(_("Share of the attention inside the lungs’ box"), note, heads, rows, 2)


def _cell(shares: pd.Series) -> str:
    """Mean ± SD, and under it n and how many have no attention."""
    if shares.empty:
        return _("–\nno such image")
    stat, without = Stat(tuple(shares.dropna())), int(shares.isna().sum())
    if without == len(shares):
        shown = "–"
    else:
        shown = _percent(stat.mean) + (f" ± {_percent(stat.sd)}" if math.isfinite(stat.sd) else "")
    if without:
        return shown + "\n" + _("n = {n}, {without} without").format(n=len(shares), without=without)
    return shown + "\n" + _("n = {n}").format(n=len(shares))


def _galleries(found: pd.DataFrame, pictures: Mapping[str, bytes]) -> list[Gallery]:
    """A gallery for each study that has pictures; without its pictures where these are not at hand."""
    shown = []
    for study, rows in found[found["picture"] != ""].groupby("study", sort=False):
        one = rows.iloc[0]
        title = _("Hits and misses of {study}, {setting}, seed {seed}").format(
            study=study, setting=one["setting"], seed=one["seed"]
        )
        if not set(rows["picture"]) <= set(pictures):
            shown.append(Gallery(title, _("The pictures are left out: a result set holds no image."), [], 0))
            continue
        note = _(
            "The first images of each group as they were drawn, not chosen for what they show. Orange: the attention,"
            " in each image up to its own highest value. The line is the lungs’ box."
        )
        shown.append(Gallery(title, note, [_card(row, pictures[row.picture]) for row in rows.itertuples()], 0))
    return shown


def _card(row: Any, content: bytes) -> Card:
    title = _("{group}, score {score}").format(group=_(row.group), score=f"{row.score:.3f}")
    inside = _("{share} % inside").format(share=_percent(row.inside)) if row.inside == row.inside else _("no attention")
    address = f"data:image/jpeg;base64,{base64.b64encode(content).decode('ascii')}"
    return Card(title[:1].upper() + title[1:], f"{inside}; {row.image_id}", address, "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
