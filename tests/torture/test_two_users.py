"""Two who work in one checkout: each run is trained once, and what one may not write is one sentence."""

import contextlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.clone import environment
from tests.torture.study import TRAINS, Study, error_of, wait_for_stage

# Root without its powers, as who it is for the files of others; another user has none to lose.
POWERLESS = ("unshare", "--user") if os.geteuid() == 0 else ()
GUEST = ("stage:download", "stage:train_grid", "cxrbench pack packed", "cxrbench grid --prune --yes", "cxrbench track")


def test_two_who_train_one_grid_at_once_train_each_run_once(study, finished, tried):
    study.forget_runs()
    with tempfile.TemporaryDirectory() as name:  # the other one's copy of the checkout, as a DVC experiment is one
        copy = study.copy(Path(name) / "cxrbench")
        store = str(study.folder / ".cxrbench" / "runs")
        processes = [one.start("stage:train_grid", CXRBENCH_STORE=store) for one in (study, copy)]
        assert [process.wait(600) for process in processes] == [0, 0], study.said() + copy.said()
        told = study.said() + copy.said()
        for one in (study, copy):
            assert one.content("data/train-grid") == finished.content("data/train-grid")
    assert "Traceback" not in told
    assert entries(study) == entries(finished)
    tried("into one store", 1, "")


def entries(study):
    return {path.parent.name for path in (study.folder / ".cxrbench/runs").glob("[!.]*/run.json")}


def test_two_dvc_repro_at_once_wait_or_say_who_is_at_work_and_lose_nothing(study, finished, tried):
    study.forget_runs()
    first, told = study.start(*TRAINS), []
    wait_for_stage(study, first)
    while first.poll() is None:
        second = subprocess.run(TRAINS, cwd=study.folder, env=environment(study.folder), capture_output=True, text=True)
        assert "Traceback" not in second.stdout + second.stderr
        told += [line for line in second.stderr.splitlines() if second.returncode and line.startswith("ERROR")]
        time.sleep(2)
    assert first.wait() == 0, study.said()
    assert "4 to train" in study.said()
    assert told
    study.run("dvc", "repro", "train-grid")
    assert study.content("data/train-grid") == finished.content("data/train-grid")
    tried("`dvc repro` while another one trains", len(told), told[-1])


def test_what_another_user_may_not_write_is_one_sentence(finished, tmp_path, tried):
    """Where root runs this, the checkout is given to somebody else; any other user takes his own rights away."""
    if subprocess.run([*POWERLESS, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets root not give up its powers")
    study, told = finished.copy(tmp_path / "theirs" / "cxrbench"), []
    before = study.content("data", ".cxrbench", "reports")
    with theirs(study.folder):
        guest = Study(study.folder, POWERLESS)
        for words in GUEST:
            code, said = guest.ended(words, HOME=str(tmp_path))
            assert code == 1, said
            told.append(error_of(said))
    assert study.content("data", ".cxrbench", "reports") == before
    tried("stages and commands, one by one", len(told), told[0])


@contextlib.contextmanager
def theirs(folder):
    paths = [path for path in [folder, *folder.rglob("*")] if not path.is_symlink()]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
        if POWERLESS:
            os.chown(path, 12345, 12345)
    try:
        yield
    finally:
        for path in paths:
            if path.is_dir():
                path.chmod(0o755)
