"""``cxrbench card``: the model card of a study's network."""

import argparse
from pathlib import Path

CARD = """\
Prints the model card of the network that MLflow's registry holds of a study: intended use, data with leaks and
shortcuts, training, results with intervals, limits. It has the form of the Hugging Face Hub and the figures of the
report. It needs the outputs of the pipeline up to evaluate; nothing is trained.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    card = commands.add_parser(
        "card",
        help="print the model card of a study's network",
        description=CARD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    card.add_argument("study", metavar="STUDY", help="a study of params.yaml")
    card.add_argument(
        "--alias",
        choices=("best-mean", "best"),
        default="best-mean",
        help="the mean of the networks of the winning setting, or its best run (default: %(default)s)",
    )
    card.add_argument("--to", metavar="FILE", type=Path, help="write it there; replaced if there")
    card.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    from cxrbench.base.files import write_text
    from cxrbench.config import params as parameters
    from cxrbench.published import papers
    from cxrbench.reporting.card import card
    from cxrbench.reporting.context import context_of, rules_of
    from cxrbench.reporting.results import read_results

    params = parameters.load()
    results, known = read_results(Path("data")), papers.load("data/published")
    text = card(options.study, options.alias, results, known, context_of(params), rules_of(params.report))
    if options.to:
        write_text(options.to, text)
        print(f"{options.to} is the card of cxrbench-{options.study}@{options.alias}")
    else:
        print(text, end="")
    return 0
