"""The checklist CLAIM 2024 for one study: which of its items our pipeline answers, which the paper, which nobody.

Items in our own words and in the numbering of Tejani et al., Checklist for Artificial Intelligence in Medical Imaging
(CLAIM): 2024 Update, Radiology: Artificial Intelligence 6(4), 2024, e240300. What a paper answers stands in its file in
data/published.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from cxrbench.base.language import N_, _

STUDY = "study"  # stands for the study's own section


@dataclasses.dataclass(frozen=True)
class Item:
    """One item, and where on the page our runs answer it."""

    text: str
    section: str = ""  # of the page, by its id; empty: our pipeline answers it nowhere
    answer: str = ""  # what stands there


ITEMS: Sequence[Item] = (
    Item(
        N_("Named as a study of AI, with the kind of AI"), STUDY, N_("the question and the network, under 'held fixed'")
    ),
    Item(N_("Summary: design, methods, results, conclusion"), "claims", N_("headline and table of claims")),
    Item(N_("Background, and what the AI is meant for")),
    Item(N_("Aims and hypotheses"), "claims", N_("the claims that are tested")),
    Item(N_("Prospective or retrospective"), "data", N_("images that were there before, or computed ones")),
    Item(N_("Goal of the study"), STUDY, N_("the study's question")),
    Item(N_("Sources of the data"), "facts", N_("cohorts and their sources")),
    Item(N_("Criteria to include and exclude"), "data", N_("rejected files, view filter, checks")),
    Item(N_("Preprocessing"), STUDY, N_("image size, resizing and augmentation, under 'held fixed'")),
    Item(N_("Choice of subsets"), "data", N_("images by class and part, drawn to exact quotas")),
    Item(N_("How identities were removed")),
    Item(N_("Handling of missing data"), "data", N_("rejected files and failed checks, each with its reason")),
    Item(N_("How the images were taken")),
    Item(N_("How the reference standard was obtained")),
    Item(N_("Why this reference standard")),
    Item(N_("Who or what annotated the reference standard")),
    Item(N_("Annotation of the test images")),
    Item(N_("Agreement between and within raters")),
    Item(N_("How images were assigned to parts"), "data", N_("images by class and part under each protocol")),
    Item(N_("Level at which parts share nothing"), "data", N_("leaks between parts, by patient and by picture")),
    Item(N_("Planned number of cases"), "claims", N_("the seeds or images that would decide each claim")),
    Item(N_("The model in detail"), STUDY, N_("the network's name; its code is at the commit")),
    Item(N_("Software, with versions"), "provenance", N_("machines and versions")),
    Item(N_("Initial weights"), STUDY, N_("weights, under 'held fixed'")),
    Item(N_("Training in detail"), STUDY, N_("all choices, held fixed or compared; seeds; learning curves")),
    Item(N_("How the final model was chosen"), STUDY, N_("the winner on validation, never by test images")),
    Item(N_("Ensembles"), STUDY, N_("none: each run is scored alone")),
    Item(N_("Measures of performance"), STUDY, N_("columns of the tables")),
    Item(N_("Statistics of significance and uncertainty"), "rules", N_("how a verdict is reached")),
    Item(N_("Robustness and sensitivity"), "protocols", N_("the same settings under other divisions of the images")),
    Item(N_("Explainability"), "attention", N_("where the network looks, against the lungs")),
    Item(N_("Evaluation on internal data"), STUDY, N_("results on validation and test")),
    Item(N_("Test on external data")),
    Item(N_("Registration of the trial")),
    Item(N_("Cases included and excluded"), "data", N_("images by class and part, rejected files")),
    Item(N_("Demographic and clinical characteristics by part")),
    Item(N_("Performance with its uncertainty"), STUDY, N_("mean ± SD, every run, differences with intervals")),
    Item(N_("Diagnostic performance and its precision"), "claims", N_("decisive differences with intervals")),
    Item(N_("Analysis of wrong cases"), "attention", N_("hits and misses")),
    Item(N_("Limitations"), "cautions", N_("the cautions under the headline")),
    Item(N_("What it means for practice")),
    Item(N_("Full protocol or technical details"), "provenance", N_("the commit and the commands")),
    Item(
        N_("Availability of software, model and data"), "provenance", N_("the commit, the data's hashes, the commands")
    ),
    Item(N_("Funding, and the funders' part")),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One item as shown."""

    number: int
    text: str
    by: str  # who answers it
    state: str  # 'pipeline', 'paper' or 'nobody', for its looks; an item that both answer is the pipeline's
    section: str  # id of the section that answers; empty: none
    answer: str
    paper: str  # what the paper says; empty: nothing


@dataclasses.dataclass(frozen=True)
class Checklist:
    """What the template shows of one study."""

    study: str
    title: str
    rows: Sequence[Row]


def checklist(study: str, answers: Mapping[int, str] | None, sections: Collection[str]) -> Checklist:
    """The checklist of ``study``; ``answers`` of its paper are by item, None where there is no paper.

    ``sections`` are the ids of those of the page: an item counts as answered only where its section is there.
    """
    rows = [_row(number, item, study, answers or {}, sections) for number, item in enumerate(ITEMS, 1)]
    count = {state: sum(row.state == state for row in rows) for state in ("pipeline", "paper", "nobody")}
    if answers is None:
        title = _("CLAIM 2024: of {items} items, the pipeline answers {pipeline} and nobody {nobody}")
    else:
        title = _(
            "CLAIM 2024: of {items} items, the pipeline answers {pipeline}, the paper alone {paper}, nobody {nobody}"
        )
    return Checklist(study, title.format(items=len(rows), **count), rows)


def _row(number: int, item: Item, study: str, answers: Mapping[int, str], sections: Collection[str]) -> Row:
    section = f"study-{study}" if item.section == STUDY else item.section
    ours, paper = section in sections, answers.get(number, "")
    by = {
        (True, True): _("pipeline and paper"),
        (True, False): _("pipeline"),
        (False, True): _("paper"),
        (False, False): _("nobody"),
    }[ours, bool(paper)]
    state = "pipeline" if ours else "paper" if paper else "nobody"
    return Row(number, _(item.text), by, state, section if ours else "", _(item.answer) if ours else "", _(paper))
