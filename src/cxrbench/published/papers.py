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
from cxrbench.base.tables import PARTS
from cxrbench.config.values import choice, section
from cxrbench.evaluation.metrics import METRICS, TIMES
from cxrbench.evaluation.verdicts import KINDS, Claim
from cxrbench.published.counts import Images
from cxrbench.published.figures import UNITS, Figure, figures

ROWS_OF = ("setting", "epoch")
BASE_GRID = "published"  # the file of conf/grid/ with the studies of params.yaml as it is committed
CHECKLIST_ITEMS = 44  # of CLAIM 2024
LISTS = {"unsaid": ("said", "assumed"), "facts": ("what", "printed", "source"), "untestable": ("said", "why")}


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
    """The papers that a report on ``studies`` speaks of: theirs, and those of the base grid in any case."""
    return {name: paper for name, paper in papers.items() if name in studies or paper.grid == BASE_GRID}


def read(path: Path) -> Paper:
    """The paper in one file; raises CxrbenchError with the file and the entry that is wrong."""
    try:
        return parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (CxrbenchError, yaml.YAMLError) as error:
        raise CxrbenchError(f"{path}: {error}") from None
    except OSError as error:
        raise CxrbenchError(f"{path}: {error.strerror}; name a file such as data/published/batch-size.yaml") from None


def parse(tree: Any) -> Paper:
    """The checked content of one file."""
    keys = ("study", "question", "citation", "tables", "claims", "unsaid", "contradictions")
    tree = section("top level", tree, (*keys, "grid", "claim_2024", *LISTS), keys)
    cited = ("authors", "title", "title_original", "journal", "year", "volume", "issue", "pages", "doi")
    section("citation", tree["citation"], cited, cited)
    for name, of_entry in LISTS.items():
        for entry in tree.get(name, ()):
            texts = section(name, entry, of_entry, of_entry)
            if not all(isinstance(text, str) for text in texts.values()):
                raise CxrbenchError(f"{name}: {entry} must hold text; write figures in quotes, such as '98.00'")
    claims = tuple(_claim(tree["study"], entry) for entry in tree["claims"])
    if len({claim.id for claim in claims}) < len(claims):
        raise CxrbenchError(f"claims: an id stands twice among {[claim.id for claim in claims]}; make them unique")
    return Paper(
        tree["study"],
        tree["question"],
        tree["citation"],
        tuple(_table(entry) for entry in tree["tables"]),
        claims,
        tuple(tree["unsaid"]),
        tuple(tree["contradictions"]),
        tree.get("grid", BASE_GRID),
        tuple(tree.get("facts", ())),
        tuple(tree.get("untestable", ())),
        _checklist(tree.get("claim_2024", {})),
    )


def _checklist(entry: Any) -> dict[int, str]:
    if not isinstance(entry, dict):
        raise CxrbenchError("claim_2024 must be a mapping of an item's number to what the paper says of it")
    for number, text in entry.items():
        if type(number) is not int or not 1 <= number <= CHECKLIST_ITEMS:
            raise CxrbenchError(f"claim_2024: {number!r} is no item; name one from 1 to {CHECKLIST_ITEMS}")
        if not isinstance(text, str) or not text.strip():
            raise CxrbenchError(f"claim_2024.{number} is {text!r}; say in words what the paper says, or leave it out")
    return dict(entry)


def _table(entry: Any) -> Table:
    required = ("part", "units", "rows")
    entry = section("tables", entry, ("name", "caption", *required, "rows_of", "images"), required)
    choice("part", entry["part"], PARTS)
    choice("rows_of", entry.get("rows_of", "setting"), ROWS_OF)
    units = entry["units"]
    for metric, unit in units.items():
        choice("units", metric, (*METRICS, *TIMES))
        choice(f"units.{metric}", unit, UNITS)
    rows = {
        str(name): {metric: _figures(f"rows.{name}.{metric}", text, units[metric]) for metric, text in row.items()}
        for name, row in ((name, section(f"rows.{name}", row, tuple(units))) for name, row in entry["rows"].items())
    }
    told = (entry.get("name", ""), entry.get("caption", ""), entry["part"])
    return Table(*told, rows, entry.get("rows_of", "setting"), _images(entry.get("images")))


def _figures(where: str, text: object, unit: str) -> tuple[Figure, Figure]:
    try:
        return figures(text, unit)
    except CxrbenchError as error:
        raise CxrbenchError(f"{where}: {error}") from None


def _images(entry: Any) -> Images | None:
    if entry is None:
        return None
    summed = isinstance(entry, dict) and "all" in entry
    known = ("all", "runs") if summed else ("negative", "positive", "runs")
    entry = section("images", entry, known, known)
    for name, count in entry.items():
        least = 2 if name == "all" else 1  # at least one of each class
        if type(count) is not int or not least <= count <= 10**6:
            raise CxrbenchError(f"images.{name} is {count!r}; it must be a whole number from {least} to 1,000,000")
    return Images(entry["all"] - 1, 1, entry["runs"], divided=False) if summed else Images(**entry)


def _claim(study: str, tree: Any) -> Claim:
    required = ("id", "statement", "kind", "metric", "part", "settings")
    tree = section("claims", tree, (*required, "against", "value"), required)
    where = f"claims.{tree['id']}"
    choice(f"{where}.kind", tree["kind"], KINDS)
    choice(f"{where}.metric", tree["metric"], (*METRICS, *TIMES))
    choice(f"{where}.part", tree["part"], PARTS)
    ranked = tree["kind"] in ("best", "better")
    if ranked != bool(tree.get("against")) or (ranked and len(tree["settings"]) != 1):
        raise CxrbenchError(
            f"{where} is of kind {tree['kind']}; best and better need one setting and 'against', others neither"
        )
    value = tree.get("value")
    if (tree["kind"] == "value") != (isinstance(value, list) and len(value) == 2):
        raise CxrbenchError(f"{where}.value is {value!r}; kind value needs two numbers, the lower first, others none")
    return Claim(
        study=study,
        settings=tuple(tree["settings"]),
        against=tuple(tree.get("against", ())),
        value=(float(value[0]), float(value[1])) if value else None,
        **{key: tree[key] for key in required if key != "settings"},
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
