"""The papers as data: data/published/*.yaml -> citation, tables, claims, and what a paper leaves unsaid.

Figures stay strings until they are shown: 98.00 is not 98.0, and a shift of the decimal point is exact.
"""

import dataclasses
import decimal
from pathlib import Path
from typing import Any

import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.values import choice, section
from cxrbench.evaluation.metrics import METRICS, TIMES
from cxrbench.evaluation.runs import PARTS
from cxrbench.evaluation.verdicts import KINDS, Claim

UNITS = ("%", "share", "s")


@dataclasses.dataclass(frozen=True)
class Paper:
    """One paper: of which study it is, and what it says."""

    study: str
    question: str
    citation: dict[str, Any]
    tables: tuple[dict[str, Any], ...]  # name, caption, part, units, rows
    claims: tuple[Claim, ...]
    unsaid: tuple[dict[str, str], ...]  # said, assumed
    contradictions: tuple[str, ...]

    def figure(self, part: str, setting: str, metric: str) -> tuple[decimal.Decimal, decimal.Decimal] | None:
        """The published value as a range in shares, nats or seconds, or None where none is printed."""
        for table in self.tables:
            text = table["rows"].get(setting, {}).get(metric) if table["part"] == part else None
            if text is not None:
                ends = [decimal.Decimal(end) for end in text.split("-")]
                shift = -2 if table["units"][metric] == "%" else 0
                low, high = (end.scaleb(shift) for end in (ends[0], ends[-1]))
                return low, high
        return None


def load(folder: str | Path) -> dict[str, Paper]:
    """Study -> its paper; raises CxrbenchError with the file and the entry that is wrong."""
    papers: dict[str, Paper] = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        try:
            paper = parse(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (CxrbenchError, yaml.YAMLError) as error:
            raise CxrbenchError(f"{path}: {error}") from None
        if paper.study in papers:
            raise CxrbenchError(f"{path}: study '{paper.study}' already has a paper; give each study one file")
        papers[paper.study] = paper
    return papers


def parse(tree: Any) -> Paper:
    """The checked content of one file."""
    keys = ("study", "question", "citation", "tables", "claims", "unsaid", "contradictions")
    tree = section("top level", tree, keys, keys)
    cited = ("authors", "title", "title_original", "journal", "year", "volume", "issue", "pages", "doi")
    section("citation", tree["citation"], cited, cited)
    for table in tree["tables"]:
        _check_table(section("tables", table, ("name", "caption", "part", "units", "rows"), ("part", "units", "rows")))
    for entry in tree["unsaid"]:
        section("unsaid", entry, ("said", "assumed"), ("said", "assumed"))
    claims = tuple(_claim(tree["study"], entry) for entry in tree["claims"])
    if len({claim.id for claim in claims}) < len(claims):
        raise CxrbenchError(f"claims: an id stands twice among {[claim.id for claim in claims]}; make them unique")
    return Paper(
        tree["study"],
        tree["question"],
        tree["citation"],
        tuple(tree["tables"]),
        claims,
        tuple(tree["unsaid"]),
        tuple(tree["contradictions"]),
    )


def _check_table(table: dict[str, Any]) -> None:
    choice("part", table["part"], PARTS)
    for metric, unit in table["units"].items():
        choice("units", metric, (*METRICS, *TIMES))
        choice(f"units.{metric}", unit, UNITS)
    for setting, row in table["rows"].items():
        for metric, text in section(f"rows.{setting}", row, tuple(table["units"])).items():
            try:
                [decimal.Decimal(end) for end in text.split("-")]
            except (AttributeError, decimal.InvalidOperation):
                raise CxrbenchError(
                    f"rows.{setting}.{metric} is {text!r}; write the printed figure in quotes, such as '98.00'"
                ) from None


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
    authors = ", ".join(citation["authors"] or ["Authors not named"])
    title = citation["title"] or citation["title_original"]
    volume = f"{citation['volume']}({citation['issue']})" if citation["volume"] else None
    place = [citation["journal"], citation["year"], volume, citation["pages"]]
    known = [f"{authors}: {title}", ", ".join(str(item) for item in place if item)]
    if citation["doi"]:
        known.append(f"doi:{citation['doi']}")
    return ". ".join(item for item in known if item) + "."
