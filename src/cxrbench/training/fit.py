"""One run: train one setting with one seed and write what later stages read."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from keras import ops

from cxrbench.base.files import write_text
from cxrbench.base.tables import TABLES, write_table
from cxrbench.training import backend, heads, losses
from cxrbench.training.checkpoint import Checkpoint
from cxrbench.training.epoch_log import EpochLog
from cxrbench.training.heads import HeadFirst
from cxrbench.training.hide import Hidden, Images
from cxrbench.training.trainer import Trainer

if TYPE_CHECKING:
    from cxrbench.runs.job import Job


def train(
    job: "Job", folder: Path, checkpoint: Path | None, on_epoch: Callable[[int], None], workers: int, threads: int
) -> None:
    """Trains ``job`` and writes run.json, history.csv, scores.csv and model.keras into ``folder``.

    Goes on from the file ``checkpoint`` where it is there, and writes it now and then; with None neither.
    ``workers`` processes of ``threads`` threads train side by side; the record keeps it beside the times. The model
    is stored without the optimizer's state: no run goes on from it. A run whose loss leaves the finite numbers ends
    there and is recorded as diverged; that is a result, not an error.
    """
    started = time.monotonic()
    trainer, images = heads.untrained(job), _images(job)
    model = trainer.parts.network
    log = _fit(trainer, job, images, Checkpoint(checkpoint, job.run), on_epoch)
    if log.best_weights is not None:
        model.set_weights(log.best_weights)
    history = pd.DataFrame(log.epochs, columns=list(TABLES["history"]))
    scored = job.rows[job.rows["part"] != "train"]
    score = predict(trainer, images, scored["index"].to_numpy())
    finite = np.isfinite(score).all() and np.isfinite(history[["loss", "val_loss"]].to_numpy()).all()
    model.save(folder / "model.keras")
    write_table(folder / "history.csv", history, "history")
    write_table(folder / "scores.csv", scored.assign(score=score)[list(TABLES["scores"])], "scores")
    record = {
        "run": job.run,
        "setting": job.setting,
        "seed": job.seed,
        "status": "ok" if finite else "diverged",
        "parameters": model.count_params(),
        "epochs_done": len(history),
        "checkpoint_epoch": log.best_epoch or len(history),
        **_times(log, workers, threads),
        "train_seconds": round(time.monotonic() - started + log.seconds_before, 3),
        "resumed_after_epoch": log.restored,
        "data": {"sha256": job.data_sha256, **job.rows["part"].value_counts().sort_index().to_dict()},
        "environment": backend.environment(),
    }
    write_text(folder / "run.json", json.dumps(record, indent=1))


def time_alone(job: "Job", on_epoch: Callable[[int], None], threads: int) -> dict[str, Any]:
    """The times of ``job``'s epochs, trained with no other run beside it and not kept: keys of run.json."""
    return _times(_unkept(job, on_epoch), 1, threads)


def time_epochs(job: "Job", on_epoch: Callable[[int], None]) -> list[float]:
    """Seconds of each epoch of ``job``, which is not kept."""
    return [epoch["seconds"] for epoch in _unkept(job, on_epoch).epochs]


def _unkept(job: "Job", on_epoch: Callable[[int], None]) -> EpochLog:
    return _fit(heads.untrained(job), job, _images(job), Checkpoint(None, job.run), on_epoch)


def predict(trainer: Trainer | HeadFirst, images: Images, places: np.ndarray) -> np.ndarray:
    """P(target = 1), float64 [n], of the grey images ``images[places]``, uint8 [N, h, w, 1]."""
    return losses.probability_of_target(trainer.parts.loss_name, trainer.predict(images, places))


def balanced(targets: np.ndarray, sources: np.ndarray, seed: int) -> np.ndarray:
    """Places that hold every class of a source as often as its commonest one; int, ascending.

    targets: int [n]. sources: str [n], the cohort that each image came from. Balancing inside each keeps a network
    from taking what only one cohort's images have in common for the mark of a class. A rarer class is repeated whole
    as often as it fits and then in part, drawn by ``seed``; no image is left out.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for source in np.unique(sources):
        classes = [np.flatnonzero((sources == source) & (targets == target)) for target in np.unique(targets)]
        most = max(map(len, classes))
        drawn += [np.append(np.tile(c, most // len(c)), rng.permutation(c)[: most % len(c)]) for c in classes if len(c)]
    return np.sort(np.concatenate(drawn))


def _images(job: "Job") -> Images:
    return Hidden(np.load(job.array, mmap_mode="r"), job.setting["hide"])


def _times(log: EpochLog, workers: int, threads: int) -> dict[str, Any]:
    """Seconds of the first epoch, mean seconds of those after it, and under which conditions they were taken."""
    seconds = [epoch["seconds"] for epoch in log.epochs]
    conditions = {"workers": workers, "threads": threads, "machine": backend.machine(), "alone": workers == 1}
    return {
        "first_epoch_seconds": round(seconds[0], 3),
        "epoch_seconds": round(float(np.mean(seconds[1:] or seconds)), 3),
        "timing": conditions,
    }


def _fit(
    trainer: Trainer | HeadFirst,
    job: "Job",
    images: Images,
    checkpoint: Checkpoint,
    on_epoch: Callable[[int], None],
) -> EpochLog:
    """Trains ``trainer``'s network in place, from where ``checkpoint`` left it."""
    setting, parts = job.setting, trainer.parts
    log = checkpoint.restore(trainer, EpochLog(job.setting["checkpoint"]))
    train, validation = (job.rows[job.rows["part"] == part] for part in ("train", "validation"))
    if setting["balance"]:
        train = train.iloc[balanced(train["target"].to_numpy(), train["source"].to_numpy(dtype=str), job.seed)]
    places, seen = train["index"].to_numpy(), validation["index"].to_numpy()
    labels, wanted = (losses.labels_for(setting["loss"], rows["target"].to_numpy()) for rows in (train, validation))
    for epoch in range(len(log.epochs) + 1, setting["epochs"] + 1):
        if log.diverged:
            break
        started = time.monotonic()
        loss, accuracy = trainer.epoch(images, places, labels, setting["batch_size"], (job.seed, epoch))
        output = trainer.predict(images, seen)
        row = {
            "epoch": epoch,
            "loss": loss,
            "accuracy": accuracy,
            "val_loss": float(parts.loss(wanted, output)),
            "val_accuracy": float(ops.mean(parts.right(wanted, output))),
            "seconds": time.monotonic() - started,
        }
        log.add(row, parts.network.get_weights)
        checkpoint.save(trainer, log)
        on_epoch(epoch)
    return log
