"""The command ``cxrbench``: what of the pipeline is of use without it.

Help and version answer at once: what is heavy is imported by the command that needs it.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cxrbench.base.errors import CxrbenchError, disk_full

VIEWS = """\
Says of each file in a folder, and in the folders below it, whether it is a frontal or a lateral chest radiograph.

The table has a row for each file, sorted by path:
  path        as the folder was given
  view        frontal, lateral, or nothing where the network abstains or the file cannot be used
  view_score  P(frontal)
  reason      why there is no view

JPEG, PNG, TIFF, DICOM and what else the pipeline reads are read. Hidden files and what tools leave
among images (.ipynb_checkpoints, @eaDir, __MACOSX, Thumbs.db, ...) are skipped, links are followed.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 a mistake that a sentence on stderr explains, 2 bad usage, 130 stopped by Ctrl-C."""
    options = _parser().parse_args(argv)
    try:
        return _views(options.folder, options.out, options.model, options.workers)
    except CxrbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if not disk_full(error):
            raise
        print(f"error: {options.out}: {error.strerror}; free some space or choose another --out", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; no table was written", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cxrbench", description="Tools of cxrbench. The pipeline itself is 'dvc repro'."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    views = commands.add_parser(
        "views",
        help="tell frontal from lateral radiographs in a folder",
        description=VIEWS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    views.add_argument("folder", metavar="FOLDER", help="the folder that holds the images")
    views.add_argument(
        "--out", metavar="TABLE", type=Path, required=True, help="the CSV file to write; replaced if there"
    )
    views.add_argument(
        "--model",
        type=Path,
        help="a view network that the pipeline trained, with its .json beside it (default:"
        " data/view-filter/model.keras of the current workspace)",
    )
    views.add_argument("--workers", type=_count, default=_cores(), help="processes that decode (default: %(default)s)")
    return parser


def _views(folder: str, out: Path, model_path: Path | None, workers: int) -> int:
    from cxrbench.base.folders import list_files
    from cxrbench.base.progress import progress
    from cxrbench.views import stored
    from cxrbench.views.folder import UNUSABLE, call_views

    started = time.monotonic()
    model = stored.load(model_path or stored.default_path())
    files, skipped = list_files(folder)
    also = f", {skipped:,} hidden files and files of tools skipped" if skipped else ""
    print(f"{model.origin}; {len(files):,} files to look at{also}", file=sys.stderr)
    with progress("files", len(files)) as advance:
        counts = call_views(files, model, out, workers, advance)
    print(
        f"{counts['frontal']:,} frontal, {counts['lateral']:,} lateral, {counts['']:,} undecided,"
        f" {counts[UNUSABLE]:,} that cannot be used; {len(files) / (time.monotonic() - started):,.1f} images a second,"
        f" start included; see {out}"
    )
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1024")
    return int(text)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"cxrbench {version('cxrbench')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
