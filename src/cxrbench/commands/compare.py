"""``cxrbench compare``: two experiments side by side, by the statistics of the report."""

import argparse
from pathlib import Path

COMPARE = """\
Says of two experiments what params.yaml asked differently, in which settings that both ran the one does better on test
and by how much, what only one ran, and which claims of the papers have another verdict. A setting is compared only
where both judged the same images after training on the same ones; where they did not, that is said.

A and B are each a folder that 'cxrbench pack' wrote, the folder of a workspace ('.' is this one), or a commit, branch,
tag or DVC experiment of this workspace, read out of DVC's cache: 'cxrbench compare HEAD brave-lion'.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    compare = commands.add_parser(
        "compare",
        help="compare two experiments by the statistics of the report",
        description=COMPARE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("a", metavar="A", help="a result set, such as results/NAME, a workspace, commit or experiment")
    compare.add_argument("b", metavar="B", help="likewise; differences are B less A")
    compare.add_argument("--to", metavar="FILE.md", type=Path, help="write the same as Markdown too")
    compare.add_argument(
        "--papers", metavar="FOLDER", type=Path, default=Path("data/published"), help=argparse.SUPPRESS
    )
    compare.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options: 0 also where something differs."""
    from cxrbench.base.errors import CxrbenchError
    from cxrbench.base.files import write_text
    from cxrbench.published import papers
    from cxrbench.reporting.compare_sets import compare_sets
    from cxrbench.reporting.result_sets import read
    from cxrbench.reporting.text_tables import TextTable, markdown, plain

    parts = compare_sets(read(options.a), read(options.b), papers.load(options.papers))
    print("\n".join(plain(part) if isinstance(part, TextTable) else f"{part}\n" for part in parts), end="")
    if options.to:
        texts = [markdown(part) if isinstance(part, TextTable) else f"{part}\n" for part in parts]
        try:
            write_text(options.to, "\n".join(["# A and B compared\n", *texts]))
        except OSError as error:
            raise CxrbenchError(f"{options.to}: {error.strerror}; choose another --to") from None
    return 0
