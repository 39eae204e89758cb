"""Data Docs: Great Expectations' own tables of results, a page a table, in a frame that needs no network.

The frame that comes with Great Expectations fetches its styles, icons and scripts from eight hosts and shows
neither verdict nor index without them; these pages hold all they need, and no times, so that the same data give
the same pages.
"""

import html
from pathlib import Path
from typing import Any

from cxrbench.base.files import write_text
from cxrbench.checks.outcome import Outcome, failures

SECTIONS = {
    "critical": "Critical: a failure stops the pipeline here",
    "warning": "Warning: a failure is named, and nothing stops",
}
HOLDS = {
    "manifest": "every image that can be used",
    "rejects": "every file that can not, with the reason",
    "frontal": "the images taken from the front, with how that is known",
    "review": "images whose view a person should look at",
    "assignment": "the part that each protocol gives an image",
    "duplicates": "pairs of images that are one picture",
    "leaks": "what two parts, or two labels, share",
    "redrawn": "the part that each redrawn split gives an image, seed by seed",
    "redrawn_leaks": "what two parts of a redrawn split share",
    "shortcuts": "how well a property of the file alone tells the labels apart",
    "scores": "what each run says of each image, beside what it was asked",
    "runs": "each run, how it ended and how many different scores it gave",
}
FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ page_title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; } h5 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; }
th { white-space: nowrap; } td { overflow-wrap: anywhere; }
.checks > div > table > * > tr > :first-child { width: 5rem; }
.checks > div > table > * > tr > :last-child { width: 12rem; }
td td, td th { font-size: .85rem; } td table { margin-bottom: .5rem; } td p { margin: 0; }
.fas { font-style: normal; } .text-success { color: #1a7037; } .text-danger { color: #b3261e; }
.fa-check-circle::before { content: "passed"; } .fa-times::before { content: "failed"; font-weight: bold; }
</style>
</head>
<body>
<h1>{{ page_title }}</h1>
<p>{{ lead }}</p>
{% if back %}<p>{{ back }} <a href="index.html">All tables</a></p>{% endif %}
{% for section in sections %}{% set section_loop = loop %}{% include 'section.j2' %}{% endfor %}
</body>
</html>
"""

Page = tuple[list[Outcome], list[Any]]  # a table's outcomes and its ExpectationValidationResults, in one order


def write(folder: Path, title: str, pages: dict[str, Page]) -> None:
    """Writes index.html, headed ``title``, and TABLE.html for each table."""
    view = _view()
    for table, (outcomes, results) in pages.items():
        sections = _failures(outcomes)
        for severity, heading in SECTIONS.items():
            chosen = [result for found, result in zip(outcomes, results, strict=True) if found.severity == severity]
            if chosen:
                sections.append(_checks(heading, chosen))
        page = _render(view, f"{title}: {table}", _lead(outcomes), sections, back=f"Table {table}: {HOLDS[table]}.")
        write_text(folder / f"{table}.html", page)
    everything = [found for outcomes, _ in pages.values() for found in outcomes]
    sections = [_index({table: outcomes for table, (outcomes, _) in pages.items()}), *_failures(everything)]
    write_text(folder / "index.html", _render(view, title, _lead(everything), sections))


def _lead(outcomes: list[Outcome]) -> str:
    critical, warnings = len(failures(outcomes, "critical")), len(failures(outcomes, "warning"))
    if critical or warnings:
        return f"Of {len(outcomes)} checks, {critical} failed that are critical and {warnings} that warn."
    return f"All {len(outcomes)} checks passed."


def _index(groups: dict[str, list[Outcome]]) -> Any:
    header = ["Table", "What it holds", "Checks", "Critical failures", "Warnings"]
    rows = [
        [_link(table), HOLDS[table], len(found), len(failures(found, "critical")), len(failures(found, "warning"))]
        for table, found in groups.items()
    ]
    return _section("Tables", header, rows)


def _failures(outcomes: list[Outcome]) -> list[Any]:
    """A section of what failed, with a few rows of each, where anything did."""
    failed = failures(outcomes, "critical") + failures(outcomes, "warning")
    rows = [
        [found.severity, html.escape(found.sentence), "<br>".join(map(html.escape, found.examples))] for found in failed
    ]
    return [_section("Failures", ["Severity", "What failed", "Rows, the first few"], rows)] if failed else []


def _link(table: str) -> Any:
    from great_expectations.render import RenderedStringTemplateContent

    link = {"template": table, "tag": "a", "styling": {"attributes": {"href": f"{table}.html"}}}
    return RenderedStringTemplateContent(string_template=link)


def _checks(title: str, results: list[Any]) -> Any:
    """Great Expectations' table of results, without its samples of values: the section of failures names the rows."""
    from great_expectations.render.renderer.content_block import ValidationResultsTableContentBlockRenderer

    for result in results:
        for sample in ("partial_unexpected_list", "partial_unexpected_counts"):
            result.result.pop(sample, None)
    table: Any = ValidationResultsTableContentBlockRenderer.render(results, include_column_name=False)
    return _section(title, ["Result", "Check", "Found"], table.table, "checks")


def _section(title: str, header: list[str], rows: list[list[Any]], style: str = "") -> Any:
    from great_expectations.render import RenderedHeaderContent, RenderedSectionContent, RenderedTableContent

    table = RenderedTableContent(table=rows, header_row=header, styling={"classes": [style]})
    return RenderedSectionContent(section_name=title, content_blocks=[RenderedHeaderContent(header=title), table])


def _view() -> Any:
    """Great Expectations' renderer of pages, with our frame around them."""
    from great_expectations.render.view import DefaultJinjaPageView
    from jinja2 import ChoiceLoader, DictLoader

    view: Any = DefaultJinjaPageView()
    view.env.loader = ChoiceLoader([DictLoader({"frame.html": FRAME}), view.env.loader])
    return view


def _render(view: Any, title: str, lead: str, sections: list[Any], back: str = "") -> str:
    from great_expectations.render import RenderedDocumentContent

    document = RenderedDocumentContent(sections=sections, renderer_type="cxrbench", page_title=title)
    return view.render(document, template="frame.html", lead=lead, back=back)
