"""``cxrbench predict``: what a study's best networks say of any image."""

import argparse
import sys
import time
from pathlib import Path

from cxrbench.base.machine import cores
from cxrbench.commands import workers

PREDICT = """\
Says of each image what the networks of a study say: the mean of the networks of all seeds, of the setting that won on
validation. The pipeline must have trained the study in this workspace.

The table has a row for each file:
  path           as it was given
  label          what the image is called, or nothing: then 'reason' says why
  finding        the label that 'probability' is of
  probability    of the finding, 0 to 1
  threshold      frozen on the validation images: from here on the probability speaks for the finding
  abstain_from, abstain_below
                 from the one up to the other no label is given; outside, at most 5 % of the validation images of
                 either label were called wrongly
  view           frontal or lateral, as the view network says; nothing where it abstains
  view_score     P(frontal)
  reason         why there is no label

The view is looked at first: what is not frontal gets no probability. JPEG, PNG, TIFF, DICOM and what else the pipeline
reads are read. In folders, hidden files and what tools leave among images are skipped.

This is not a medical device. It must not be used to diagnose or to treat.
"""
WARNING = "not a medical device: for research on methods alone, never for a patient's diagnosis or treatment"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    predict = commands.add_parser(
        "predict",
        help="say what a study's best networks say of images",
        description=PREDICT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    predict.add_argument("files", metavar="FILE", nargs="+", help="an image, or a folder of images")
    predict.add_argument("--study", metavar="NAME", required=True, help="the study, as params.yaml names it")
    predict.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="the file to write, .csv (a table) or .json (an array, one object a line); replaced if there (default: the"
        " table to standard output)",
    )
    predict.add_argument("--no-view-check", action="store_true", help="take every image for a frontal one")
    predict.add_argument(
        "--workers", type=workers.count, default=cores(), help="processes that decode (default: one a core)"
    )
    predict.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    try:
        _predict(options)
    except BrokenPipeError:  # whoever read standard output has gone
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print("stopped; no table was written" if options.out else "stopped", file=sys.stderr)
        return 130
    return 0


def advice(not_frontal: int, files: int) -> str:
    """What to do where most files are called no frontal chest X-ray, which tells of the view network; '' elsewhere."""
    if 2 * not_frontal <= files:
        return ""
    return (
        "\nThe view network knows few such images. If you know that they are frontal, say --no-view-check; to teach it"
        " yours, name them in views.quotas (docs/howto/own-data.md)"
    )


def _predict(options: argparse.Namespace) -> None:
    from cxrbench.base.progress import progress
    from cxrbench.base.workspace import run_store_dir, workspace_root
    from cxrbench.prediction.files import all_files, write_predictions
    from cxrbench.prediction.judge import IN_THE_BAND, NOT_FRONTAL, UNUSABLE
    from cxrbench.prediction.workspace import model_of

    started = time.monotonic()
    data = workspace_root() / "data"
    model = model_of(options.study, data, run_store_dir(), not options.no_view_check)
    files, skipped = all_files(options.files)
    also = f", {skipped:,} hidden files and files of tools skipped" if skipped else ""
    print(f"{WARNING}\n{model.name}; {len(files):,} files to look at{also}", file=sys.stderr)
    with progress("files", len(files)) as advance:
        counts = write_predictions(files, model, options.out, options.workers, advance)
    usage = model.usage
    called = ", ".join(f"{counts[label]:,} {label}" for label in (usage.positive, usage.negative))
    rate = len(files) / (time.monotonic() - started)
    place = f"; see {options.out}" if options.out else ""
    print(
        f"{called}, {counts[IN_THE_BAND]:,} without a label, {counts[NOT_FRONTAL]:,} not frontal,"
        f" {counts[UNUSABLE]:,} that cannot be used; {rate:,.1f} images a second, start included{place}"
        f"{advice(counts[NOT_FRONTAL], len(files))}",
        file=sys.stdout if options.out else sys.stderr,
    )
