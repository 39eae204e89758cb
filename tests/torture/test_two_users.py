"""Two who work in one checkout: each run is trained once, and what one may not write is one sentence."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.clone import environment
from tests.torture.test_disks import error_of

AS_NOBODY = "import os, sys; os.setgid(65534); os.setuid(65534); "
CALL = "from cxrbench.cli import main; sys.exit(main(sys.argv[1:]))"


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
    tried("two train the same grid at once, into one store", 1, "4 distinct runs answer 4 planned ones")


def entries(study):
    return {path.parent.name for path in (study.folder / ".cxrbench/runs").glob("[!.]*/run.json")}


def test_two_dvc_repro_at_once_wait_or_say_who_is_at_work_and_lose_nothing(study, finished, tried):
    study.forget_runs()
    first = study.start("dvc", "repro", "train-grid")
    told = ""
    for _ in range(3):
        told = whatever_it_says(study, "dvc", "repro", "train-grid")
        if first.poll() is not None:
            break
    assert first.wait(600) == 0, study.said()
    study.run("dvc", "repro", "train-grid")
    assert study.content("data/train-grid") == finished.content("data/train-grid")
    assert "Traceback" not in told
    busy = [line for line in told.splitlines() if "lock" in line.lower() or "busy" in line.lower()]
    tried("`dvc repro` while another one runs", 1, busy[0] if busy else "")


def whatever_it_says(study, *words):
    done = subprocess.run(
        words, cwd=study.folder, env=environment(study.folder), capture_output=True, text=True, timeout=600
    )
    return done.stdout + done.stderr


def test_what_another_user_may_not_write_is_one_sentence(finished, tried):
    """Commands that start no process of another Python; root becomes nobody, another user locks himself out."""
    start, told = AS_NOBODY if os.geteuid() == 0 else "import sys; ", []
    if subprocess.run([sys.executable, "-c", f"{start}import argparse"], capture_output=True).returncode:
        pytest.skip("another user may not read this Python")
    with tempfile.TemporaryDirectory() as name:
        study = finished.copy(Path(name) / "cxrbench")
        Path(name).chmod(0o755)
        for path in [study.folder, *study.folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o555 if path.is_dir() else 0o444)
        before = study.content("data", ".cxrbench", "reports")
        for words in (["pack", "packed"], ["grid", "--prune", "--yes"], ["track"]):
            done = subprocess.run([sys.executable, "-c", start + CALL, *words], cwd=study.folder, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)  # fmt: skip
            assert done.returncode == 1, done.stdout
            told.append(error_of(done.stdout))
        assert study.content("data", ".cxrbench", "reports") == before
        for path in [study.folder, *study.folder.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
    tried("a checkout that belongs to another user", len(told), told[0].replace(str(name), "")[:160])


def test_a_process_that_gets_too_little_memory_ends_and_with_enough_it_ends_as_ever(study, finished, tried):
    told = []
    for mebibytes in (200, 300, 450):
        study.forget(".cxrbench/phantoms")
        limit = f'ulimit -v {mebibytes * 1024}; exec "$0" -m cxrbench.stages.download'
        process = study.start("sh", "-c", limit, sys.executable, OPENBLAS_NUM_THREADS="1")
        code = process.wait(300)
        said = study.said()
        if code:
            told.append(said.splitlines()[-1])
    study.run("stage:download")
    assert study.content("data/download") == finished.content("data/download")
    tried("stage download with 200 to 450 MB of address space", 3, told[0] if told else "")
