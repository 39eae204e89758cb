"""The papers as data: data/published/*.yaml -> citation, tables, other figures, claims, and what a paper leaves unsaid.

Figures stay strings until they are shown: 98.00 is not 98.0, and a shift of the decimal point is exact.
"""

import dataclasses
import decimal
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.language import _
from cxrbench.config.checked import check, unknown
from cxrbench.evaluation.verdicts import Claim
from cxrbench.published.counts import Images
from cxrbench.published.figures import Figure, figures
from cxrbench.published.paper_file import BASE_GRID, ClaimEntry, Counts, PaperFile, TableEntry


@dataclasses.dataclass(frozen=True)
class Table:
    """One table of a paper: a row a setting or an epoch, a column a metric."""

    name: str
    caption: str
    part: str
    rows: Mapping[str, Mapping[str, tuple[Figure, Figure]]]  # of each the two ends: the same where it is one number
    rows_of: str = "setting"
    images: Images | None = None  # None: the paper does not say on how many images


@dataclasses.dataclass(frozen=True)
class Paper:
    """One paper: of which study it is, and what it says."""

    study: str
    question: str
    citation: dict[str, Any]
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...]
    unsaid: tuple[dict[str, str], ...]  # said, assumed
    contradictions: tuple[str, ...]
    grid: str = BASE_GRID  # the file of conf/grid/ that holds its study
    facts: tuple[dict[str, str], ...] = ()  # what, printed, source: figures that fit no table
    untestable: tuple[dict[str, str], ...] = ()  # said, why: claims that no study of ours can test
    claim_2024: Mapping[int, str] = dataclasses.field(
        default_factory=dict
    )  # item of the checklist -> what it says of it

    def figure(self, part: str, setting: str, metric: str) -> tuple[decimal.Decimal, decimal.Decimal] | None:
        """The published value as a range in shares, nats or seconds, or None where none is printed."""
        for table in self.tables:
            found = table.rows.get(setting, {}).get(metric)
            if found and (table.part, table.rows_of) == (part, "setting"):
                low, high = (end.printed.scaleb(-2 if end.unit == "%" else 0) for end in found)
                return low, high
        return None

    def images(self, part: str) -> Images | None:
        """On how many images of ``part`` its tables were taken, and of how many runs they are means."""
        return next((table.images for table in self.tables if table.images and table.part == part), None)


def load(folder: str | Path) -> dict[str, Paper]:
    """Study -> its paper; raises CxrbenchError with the file and the entry that is wrong."""
    papers: dict[str, Paper] = {}
    claims: set[str] = set()
    for path in sorted(Path(folder).glob("*.yaml")):
        paper = read(path)
        if paper.study in papers:
            raise CxrbenchError(f"{path}: study '{paper.study}' already has a paper; give each study one file")
        papers[paper.study] = paper
        for claim in paper.claims:
            if claim.id in claims:
                raise CxrbenchError(f"{path}: another paper has a claim '{claim.id}' too; give each an id of its own")
            claims.add(claim.id)
    return papers


def asked(papers: Mapping[str, Paper], studies: Collection[str]) -> dict[str, Paper]:
    """The papers that a report on ``studies`` speaks of: theirs, and all of the base grid where one of them is."""
    theirs = {name for name in papers if name in studies}
    if any(papers[name].grid == BASE_GRID for name in theirs):
        theirs |= {name for name, paper in papers.items() if paper.grid == BASE_GRID}
    return {name: paper for name, paper in papers.items() if name in theirs}


def read(path: Path) -> Paper:
    """The paper in one file; raises CxrbenchError with the file and the entry that is wrong."""
    try:
        return parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (CxrbenchError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CxrbenchError(f"{path}: {' '.join(str(error).split())}") from None
    except OSError as error:
        raise CxrbenchError(f"{path}: {error.strerror}; name a file such as data/published/batch-size.yaml") from None


def parse(tree: Any) -> Paper:
    """The checked content of one file."""
    file = check(PaperFile, tree)
    return Paper(
        file.study,
        file.question,
        file.citation.model_dump(),
        tuple(_table(entry) for entry in file.tables),
        tuple(_claim(file.study, entry) for entry in file.claims),
        tuple(entry.model_dump() for entry in file.unsaid),
        tuple(file.contradictions),
        file.grid,
        tuple(entry.model_dump() for entry in file.facts),
        tuple(entry.model_dump() for entry in file.untestable),
        file.claim_2024,
    )


def _table(entry: TableEntry) -> Table:
    rows = {str(name): _row(f"rows.{name}", row, entry.units) for name, row in entry.rows.items()}
    return Table(entry.name, entry.caption, entry.part, rows, entry.rows_of, _images(entry.images))


def _row(where: str, row: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, tuple[Figure, Figure]]:
    found = {}
    for metric, text in row.items():
        if metric not in units:
            raise CxrbenchError(f"{where}: {unknown(metric, units)}")
        try:
            found[metric] = figures(text, units[metric])
        except CxrbenchError as error:
            raise CxrbenchError(f"{where}.{metric}: {error}") from None
    return found


def _images(counts: Counts | None) -> Images | None:
    if counts is None:
        return None
    if counts.negative is None or counts.positive is None:
        assert counts.all is not None  # the form says so
        return Images(counts.all - 1, 1, counts.runs, divided=False)
    return Images(counts.negative, counts.positive, counts.runs)


def _claim(study: str, entry: ClaimEntry) -> Claim:
    return Claim(
        entry.id,
        study,
        entry.statement,
        entry.kind,
        entry.metric,
        entry.part,
        tuple(entry.settings),
        tuple(entry.against),
        (entry.value[0], entry.value[1]) if entry.value else None,
    )


def cite(citation: dict[str, Any]) -> str:
    """One line: authors, original title, journal, year, volume(issue), pages, DOI, as far as they are known."""
    authors = ", ".join(citation["authors"] or [_("Authors not named")])
    title = citation["title"] or citation["title_original"]
    volume = f"{citation['volume']}({citation['issue']})" if citation["volume"] else None
    place = [citation["journal"], citation["year"], volume, citation["pages"]]
    known = [f"{authors}: {title}", ", ".join(str(item) for item in place if item)]
    if citation["doi"]:
        known.append(f"doi:{citation['doi']}")
    return ". ".join(item for item in known if item) + "."
