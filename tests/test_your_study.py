"""docs/your-study.md, as it stands: its files are written and its commands run in a tiny clone.

Of the two grids the first is trained alone; evaluation and report are shown by the second.
"""

import os
import re
import shlex
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.clone import ROOT, run

pytestmark = pytest.mark.smoke

PAGE = (ROOT / "docs" / "your-study.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^    ((?:dvc|pip|python) .*)$", PAGE, re.MULTILINE)


def with_installed(folder):
    """PYTHONPATH with the folder of installed packages before what it holds already."""
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


@pytest.fixture(scope="module")
def done(copy_of_finished, tmp_path_factory):
    """The clone after every command of the page, and what `dvc exp run` trained: grid -> study -> its settings."""
    folder = copy_of_finished(tmp_path_factory.mktemp("study") / "cxrbench")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    installed, grids = folder.parent / "installed", {}
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] == "pip":  # into a folder, for the environment of the tests is not the page's
            words = [sys.executable, "-m", *words[:-2], "--target", str(installed), words[-1]]
        first = words[0] == "dvc" and not grids
        run(folder, *words, *["train-grid"] * first, PYTHONPATH=with_installed(installed))
        if words[0] == "dvc":
            grid = pd.read_csv(folder / "data" / "train-grid" / "grid.csv")
            grids[words[-1]] = grid.groupby("study")["setting"].unique()
    return folder, grids


def test_the_page_has_a_file_of_each_kind_and_the_commands_that_use_them():
    assert len(FILES) == 12
    assert {Path(name).stem for name in FILES} >= {"tiny_net", "squared_error", "momentum", "dimmed", "json_list"}
    assert [command.split()[0] for command in COMMANDS] == ["dvc", "pip", "python", "dvc"]


def test_five_lines_make_a_study(done):
    _, grids = done
    assert len(FILES["conf/grid/rates.yaml"].splitlines()) == 5
    assert list(grids["grid=rates"]["rates"]) == [
        f"lr={lr}, batch_size={size}" for lr in (0.01, 0.001) for size in (16, 32)
    ]


def test_every_part_of_ones_own_trains_and_stands_in_the_report(done):
    folder, grids = done
    settings = ["base", "tiny net", "squared error", "momentum", "dimmed"]
    means = pd.read_csv(folder / "reports" / "tables" / "means.csv")
    assert list(grids["grid=mine"]["mine"]) == settings
    assert list(means[(means["study"] == "mine") & (means["part"] == "test")]["setting"].unique()) == settings
    page = (folder / "reports" / "report.html").read_text(encoding="utf-8")
    assert 'id="study-mine"' in page
    assert "Balanced accuracy, %" in (folder / "reports" / "tables" / "mine.md").read_text(encoding="utf-8")
    manifest = pd.read_csv(folder / "data" / "download" / "manifest.csv", dtype="str")
    assert set(manifest.loc[manifest["cohort"] == "pneumonia", "label"]) == {"normal", "pneumonia"}


def test_each_part_of_ones_own_is_in_its_runs_fingerprint_alone(done):
    folder, _ = done
    file = folder.parent / "installed" / "my_cxr" / "squared_error.py"
    asked = """if True:
        from cxrbench.base.assignment import read_assignment
        from cxrbench.config import params
        from cxrbench.runs.plan import fingerprints
        runs = [one for one in params.load().planned_runs() if one.study == "mine" and one.seed == 0]
        print("found", *fingerprints(runs, read_assignment()))"""
    before, after = [], []
    for found in (before, after):
        printed = run(folder, sys.executable, "-c", asked, PYTHONPATH=with_installed(file.parents[1]))
        found += printed.split("found ", 1)[1].split("\n")[0].split()
        file.write_text(file.read_text(encoding="utf-8") + "\nCHANGED = 1\n", encoding="utf-8")
    assert [a == b for a, b in zip(before, after)] == [True, True, False, True, True]
