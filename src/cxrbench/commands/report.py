"""``cxrbench report``: the report of a result set, without images, training or DVC."""

import argparse
import dataclasses
from pathlib import Path

from cxrbench.base.language import LANGUAGES

REPORT = """\
Makes the report of a result set again: the page, its tables and metrics.json. It needs the folder alone, which
'cxrbench pack' wrote, and the papers in data/published. Nothing is trained.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    report = commands.add_parser(
        "report",
        help="make the report of a result set again",
        description=REPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_argument("--from", dest="pack", metavar="FOLDER", type=Path, required=True, help="such as results/NAME")
    report.add_argument("--to", metavar="FOLDER", type=Path, default=Path("reports"), help="default: %(default)s")
    report.add_argument("--language", choices=LANGUAGES, help="default: that of the result set")
    report.add_argument("--papers", metavar="FOLDER", type=Path, default=Path("data/published"), help=argparse.SUPPRESS)
    report.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    from cxrbench.published import papers
    from cxrbench.reporting.pack import read_pack
    from cxrbench.reporting.report import write_report

    results, context, rules = read_pack(options.pack)
    if options.language:
        context = dataclasses.replace(context, language=options.language)
    write_report(options.to, results, papers.load(options.papers), context, rules)
    print(f"{options.to / 'report.html'} is the report of {len(results.runs)} runs")
    return 0
