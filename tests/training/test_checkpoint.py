"""An interrupted run goes on from its last saved epoch and gives the bits of one that was never interrupted."""

import errno
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cxrbench.config.setting import Setting
from cxrbench.runs.job import Job
from cxrbench.training import checkpoint
from cxrbench.training.checkpoint import Checkpoint
from cxrbench.training.epoch_log import EpochLog
from cxrbench.training.fit import train
from cxrbench.training.trainer import untrained

pytestmark = pytest.mark.slow
SHARED = """
import os, random, signal, sys, time
from pathlib import Path
from cxrbench.training import backend
backend.start(1)
import keras
import numpy as np
import pandas as pd
from cxrbench.config.setting import Setting
from cxrbench.runs.job import Job
from cxrbench.training import checkpoint
from cxrbench.training.fit import train

checkpoint.AT_LEAST_S, checkpoint.SHARE = 0.0, 1e9
folder = Path(sys.argv[1])
images = np.random.default_rng(0).integers(0, 256, (48, 32, 32, 1)).astype("uint8")
np.save(folder / "images.npy", images)
names = [str(number) for number in range(48)]
rows = pd.DataFrame({"source": "a", "image_id": names, "patient_id": names, "part": ["train", "validation"] * 24})
rows = rows.assign(target=[0, 0, 1, 1] * 12, index=range(48))
setting = Setting(
    model="quick_cnn", image_size=32, epochs=EPOCHS, batch_size=8, augment="paper", checkpoint="best", optimizer="adam"
)
job = Job("run", setting.model_dump(), 3, rows, folder / "images.npy", "none")
"""
KILLED = """
kept = folder / "run.npz"
rng = random.Random(0)
kills = 0
while kills < KILLS:
    read, write = os.pipe()
    pid = os.fork()  # before the first operation, so that a try costs no start of TensorFlow
    if pid == 0:
        (folder / "killed").mkdir(exist_ok=True)
        train(job, folder / "killed", kept, lambda epoch: os.write(write, b"."), 1, 1)
        os._exit(0)
    os.close(write)
    for _ in range(rng.randint(1, 4)):
        if not os.read(read, 1):
            break
    time.sleep(rng.uniform(0, 0.03))
    os.kill(pid, signal.SIGKILL)
    kills += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    os.close(read)
for name, path in (("killed", kept), ("whole", None)):
    if os.fork() == 0:
        (folder / name).mkdir(exist_ok=True)
        train(job, folder / name, path, lambda epoch: None, 1, 1)
        os._exit(0)
    assert os.wait()[1] == 0
print("kills", kills)
"""


@pytest.mark.parametrize(("kills", "epochs"), [(2, 20), pytest.param(20, 90, marks=pytest.mark.torture)])
def test_kills_at_random_moments_change_no_bit(kills, epochs, tmp_path, tried):
    program = (SHARED + KILLED).replace("EPOCHS", str(epochs)).replace("KILLS", str(kills))
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"kills {kills}" in done.stdout
    assert_same(tmp_path / "killed", tmp_path / "whole")
    assert pd.read_json(tmp_path / "killed" / "run.json", typ="series")["resumed_after_epoch"] > kills // 2
    tried("the training of one run is killed, between epochs and while its checkpoint is written", kills, "")


def assert_same(one, other):
    assert (one / "scores.csv").read_bytes() == (other / "scores.csv").read_bytes()
    histories = [pd.read_csv(folder / "history.csv").drop(columns="seconds") for folder in (one, other)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Trains a tiny run for so many epochs into a new folder; the checkpoint is written after each of them."""
    monkeypatch.setattr(checkpoint, "AT_LEAST_S", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    images = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 1)).astype("uint8")
    np.save(tmp_path / "images.npy", images)
    names = [str(number) for number in range(16)]
    rows = pd.DataFrame({"source": "a", "image_id": names, "patient_id": names, "part": ["train", "validation"] * 8})
    rows = rows.assign(target=[0, 0, 1, 1] * 4, index=range(16))
    kept = tmp_path / "run.npz"

    def train_one(name, epochs=4, until=None, kept=kept, run="run", **setting):
        values = Setting(**{"model": "quick_cnn", "image_size": 32, "batch_size": 4, "epochs": epochs, **setting})
        (tmp_path / name).mkdir()

        def on_epoch(epoch):
            if epoch == until:
                raise KeyboardInterrupt

        job = Job(run, values.model_dump(), 0, rows, tmp_path / "images.npy", "none")
        try:
            train(job, tmp_path / name, kept, on_epoch, 1, 1)
        except KeyboardInterrupt:
            assert until
        return tmp_path / name

    train_one.kept = kept
    return train_one


@pytest.mark.parametrize("setting", [{}, {"optimizer": "rmsprop", "checkpoint": "best"}, {"optimizer": "sgd"},
                                     {"optimizer": "adagrad"}])  # fmt: skip
def test_a_run_that_goes_on_in_the_same_process_gives_the_same_bits(run, setting):
    run("first", until=2, **setting)
    assert_same(run("resumed", **setting), run("whole", kept=None, **setting))


def test_a_run_that_diverged_stays_where_it_ended(run):
    setting = {"optimizer": "sgd", "lr": 100.0, "epochs": 6}
    whole = run("whole", kept=None, **setting)
    if not np.isfinite(pd.read_csv(whole / "history.csv")["loss"].iloc[-1]):
        ended = len(pd.read_csv(whole / "history.csv"))
        run("first", until=ended, **setting)
        assert_same(run("resumed", **setting), whole)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "other run"])
def test_a_damaged_checkpoint_costs_the_epochs_and_no_more(run, damage, capsys):
    run("first", until=2, run="other" if damage == "other run" else "run")
    whole = bytearray(run.kept.read_bytes())
    if damage == "flipped":
        whole[len(whole) // 2] ^= 255
    run.kept.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "text": b"hello"}.get(damage, bytes(whole)))
    resumed = run("resumed")
    assert "the run starts anew" in capsys.readouterr().err
    assert_same(resumed, run("whole", kept=None))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_kill_inside_the_writing_leaves_the_checkpoint_before(run, share, monkeypatch):
    run("first", until=2)
    before, savez = run.kept.read_bytes(), np.savez

    def cut(file, **parts):
        savez(file, **parts)
        file.truncate(int(file.tell() * share))
        raise SystemExit  # what comes after a kill never runs; the temporary file is all that is left

    monkeypatch.setattr(np, "savez", cut)
    with pytest.raises(SystemExit):
        run("cut", until=4)
    assert run.kept.read_bytes() == before
    monkeypatch.setattr(np, "savez", savez)
    assert_same(run("resumed"), run("whole", kept=None))


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(run, monkeypatch, capsys):
    def full(file, **parts):
        file.write(b"some")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    folder = run("full")
    assert "No space left on device" in capsys.readouterr().err
    assert not run.kept.exists()
    monkeypatch.undo()
    assert_same(folder, run("whole", kept=None))


def test_checkpoints_take_at_most_a_hundredth_of_the_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    written = []

    def slow(file, **parts):
        written.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(np, "savez", slow)
    monkeypatch.setattr(Checkpoint, "_parts", lambda *_: {})
    kept = Checkpoint(tmp_path / "run.npz", "run")
    for _ in range(1000):
        now[0] += 1.0
        kept.save(None, EpochLog("last"))
    assert len(written) > 3
    assert 2.0 * len(written) <= 0.01 * now[0] + 2.0


def test_a_state_of_another_network_is_refused_and_changes_nothing(run, tmp_path):
    setting = Setting(model="quick_cnn", image_size=32)
    trainer = untrained(Job("run", setting.model_dump(), 0, pd.DataFrame(), tmp_path, "none"))
    weights, optimizer = trainer.state()
    with pytest.raises(ValueError, match="shapes"):
        trainer.go_on([*weights[:-1], weights[-1][:0]], optimizer)
    for before, after in zip(weights, trainer.state()[0]):
        np.testing.assert_array_equal(before, after)
