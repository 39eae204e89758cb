"""The command ``cxrbench``: tools for what the pipeline made and trained.

Help and version answer at once: what is heavy is imported by the command that needs it.
"""

import argparse
import sys
from collections.abc import Sequence

from cxrbench.base.errors import CxrbenchError, what_to_do
from cxrbench.commands import card, compare, consistency, export, grid, new, pack, predict, report, serve, track, views

COMMANDS = (new, grid, track, views, predict, serve, export, card, pack, report, compare, consistency)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 a mistake that a sentence on stderr explains, 2 bad usage, 130 stopped by Ctrl-C."""
    options = parser().parse_args(argv)
    try:
        code: int = options.run(options)
    except CxrbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if (sentence := what_to_do(error)) is None:
            raise
        print(f"error: {sentence}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line, a sub-parser a command."""
    whole = argparse.ArgumentParser(
        prog="cxrbench", description="Tools of cxrbench. The pipeline itself is 'dvc repro'."
    )
    whole.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return whole


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"cxrbench {version('cxrbench')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
