"""``cxrbench views``: frontal or lateral, for any folder."""

import argparse
import sys
import time
from pathlib import Path

from cxrbench.base.machine import cores
from cxrbench.commands import workers

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


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
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
    views.add_argument(
        "--workers", type=workers.count, default=cores(), help="processes that decode (default: one a core)"
    )
    views.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    try:
        _views(options.folder, options.out, options.model, options.workers)
    except KeyboardInterrupt:
        print("stopped; no table was written", file=sys.stderr)
        return 130
    return 0


def _views(folder: str, out: Path, model_path: Path | None, processes: int) -> None:
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
        counts = call_views(files, model, out, processes, advance)
    print(
        f"{counts['frontal']:,} frontal, {counts['lateral']:,} lateral, {counts['']:,} undecided,"
        f" {counts[UNUSABLE]:,} that cannot be used; {len(files) / (time.monotonic() - started):,.1f} images a second,"
        f" start included; see {out}"
    )
