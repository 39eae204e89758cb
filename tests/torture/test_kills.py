"""Whatever is killed at whatever moment and said again ends with the bytes of what was never killed."""

import contextlib
import os
import random
import signal
import subprocess
import time

import psutil
import pytest

from tests.torture.study import OUTPUTS, TRAINS, children_of, command_of, wait_for_stage

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
LEFT = ("*.tmp-*", "*.unfinished", ".*-????????")  # names of what is not whole
WORK = {  # what is said -> what it writes, what is forgotten before, kills
    "stage:download": (OUTPUTS["download"], (".cxrbench/phantoms", "data/download"), 6),
    "stage:train_grid": (OUTPUTS["train_grid"], (), 6),
    "stage:report": (OUTPUTS["report"], ("reports",), 3),
    "cxrbench pack packed": (["packed"], (), 3),
    "cxrbench views .cxrbench/phantoms --out views/table.csv": (["views"], (), 3),
}


@pytest.mark.parametrize("words", WORK)
def test_killed_at_any_moment_and_said_again_it_ends_with_the_same_bytes(words, study, finished, tmp_path, tried):
    outputs, before, kills = WORK[words]
    expected, seconds = _undisturbed(finished.copy(tmp_path / "whole" / "cxrbench"), words, outputs, before)
    _forget(study, words, before)
    rng, told = random.Random(0), []
    for number in range(kills):
        process = study.start(*words.split())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.1, 1) * seconds)
        beneath = children_of(process)
        os.kill(process.pid, SIGNALS[number % len(SIGNALS)]) if process.returncode is None else None
        process.wait(60)
        psutil.wait_procs(beneath, timeout=120)  # a worker that is still starting ends when it has started
        assert [one for one in beneath if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
        said = study.said()
        assert "Traceback" not in said or said.rstrip().endswith("KeyboardInterrupt"), said
        told += [line for line in said.splitlines() if line.startswith("stopped")]
        assert process.returncode in (0, 1, 130, *(-one for one in SIGNALS)), said  # 1: Ctrl-C in an import
        if words == "cxrbench pack packed":
            assert study.content("packed") in ({}, expected)  # none, or a whole one
        if words.startswith("stage:") or study.content("packed"):
            study.forget(*outputs)  # as DVC does before it runs a stage
    study.run(*words.split())
    assert study.content(*outputs) == expected
    assert [path for name in LEFT for path in study.folder.rglob(name) if ".git" not in path.parts] == []
    tried(f"`{words.replace('stage:', 'stage ')}`, by SIGKILL, Ctrl-C and SIGTERM", kills, max(told, default=""))


def _forget(study, words, before):
    study.forget(*before)
    if words == "stage:train_grid":
        study.forget_runs()


def _undisturbed(study, words, outputs, before):
    _forget(study, words, before)
    began = time.monotonic()
    study.run(*words.split())
    return study.content(*outputs), time.monotonic() - began


def test_workers_killed_as_for_want_of_memory_cost_no_run(study, finished, tried):
    study.forget_runs()
    process, killed = study.start("stage:train_grid"), 0
    deadline = time.monotonic() + 300
    while process.poll() is None and killed < 2 and time.monotonic() < deadline:
        workers = [one for one in children_of(process) if "spawn_main" in command_of(one)]
        if workers:
            time.sleep(1.5)
            with contextlib.suppress(psutil.NoSuchProcess):
                workers[0].kill()
                killed += 1
        time.sleep(0.1)
    assert (process.wait(600), killed) == (0, 2), study.said()
    assert study.content("data/train-grid") == finished.content("data/train-grid")
    assert "Traceback" not in study.said()
    told = next(line for line in study.said().splitlines() if "killed" in line)
    tried("two workers of one grid", killed, told)


def test_a_pipeline_whose_dvc_is_killed_is_gone_on_with_by_dvc_repro(study, finished, tried):
    """DVC's own death leaves its lock and, for a moment, the stage that it started."""
    times, rng = 2, random.Random(0)
    for _ in range(times):
        study.forget_runs()
        process = study.start(*TRAINS)
        wait_for_stage(study, process)
        time.sleep(rng.uniform(0, 8))
        process.kill()
        process.wait()
        study.run(*TRAINS)
        assert study.content("data/train-grid") == finished.content("data/train-grid")
    tried("and said again at once", times, "")
