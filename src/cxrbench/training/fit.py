"""One run: train one setting with one seed and write what later stages read."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxrbench.base.files import write_text
from cxrbench.base.tables import TABLES, write_table
from cxrbench.config.setting import Setting
from cxrbench.training import augment, backend, losses, models

if TYPE_CHECKING:
    import keras

    from cxrbench.runs.job import Job

PREDICT_BATCH = 256


def train(job: "Job", folder: Path, on_epoch: Callable[[int], None]) -> None:
    """Trains ``job`` and writes run.json, history.csv, scores.csv and model.keras into ``folder``.

    A run whose loss leaves the finite numbers ends there and is recorded as diverged; that is a result,
    not an error.
    """
    started = time.monotonic()
    setting = job.setting
    backend.seed_everything(job.seed)
    model = _model(setting)
    images = np.load(job.array, mmap_mode="r")
    history, checkpoint_epoch = _fit(model, setting, job.seed, images, job.rows, on_epoch)
    scored = job.rows[job.rows["part"] != "train"]
    score = predict(model, setting.loss, images[scored["index"].to_numpy()])
    finite = np.isfinite(score).all() and np.isfinite(history[["loss", "val_loss"]].to_numpy()).all()
    model.save(folder / "model.keras")
    write_table(folder / "history.csv", history, "history")
    write_table(folder / "scores.csv", scored.assign(score=score)[list(TABLES["scores"])], "scores")
    seconds = history["seconds"].tolist()
    record = {
        "run": job.run,
        "setting": setting.model_dump(),
        "seed": job.seed,
        "status": "ok" if finite else "diverged",
        "parameters": model.count_params(),
        "epochs_done": len(history),
        "checkpoint_epoch": checkpoint_epoch,
        "first_epoch_seconds": round(seconds[0], 3),
        "epoch_seconds": round(float(np.mean(seconds[1:] or seconds)), 3),
        "train_seconds": round(time.monotonic() - started, 3),
        "data": {"sha256": job.data_sha256, **job.rows["part"].value_counts().sort_index().to_dict()},
        "environment": backend.environment(),
    }
    write_text(folder / "run.json", json.dumps(record, indent=1))


def predict(model: "keras.Model", loss: str, images: np.ndarray) -> np.ndarray:
    """P(target = 1), float64 [n], of grey images uint8 [n, h, w, 1]."""
    output = model.predict(images, batch_size=PREDICT_BATCH, verbose=0)
    return losses.probability_of_target(loss, output)


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


def _model(setting: Setting) -> "keras.Model":
    form = losses.LOSS_FORMS[setting.loss]
    network = models.build(
        setting.model, setting.image_size, form.units, form.activation, setting.weights, setting.padding
    )
    return models.on_grey(network)


def _fit(
    model: "keras.Model",
    setting: Setting,
    seed: int,
    images: np.ndarray,
    rows: pd.DataFrame,
    on_epoch: Callable[[int], None],
) -> tuple[pd.DataFrame, int]:
    """Trains ``model`` in place; the history table and the epoch (from 1) whose weights it ends with."""
    import keras

    def part(name: str, balance: bool = False) -> tuple[np.ndarray, np.ndarray]:
        chosen = rows[rows["part"] == name]
        if balance:
            chosen = chosen.iloc[balanced(chosen["target"].to_numpy(), chosen["source"].to_numpy(dtype=str), seed)]
        return images[chosen["index"].to_numpy()], losses.labels_for(setting.loss, chosen["target"].to_numpy())

    change = augment.layer(setting.augment, seed)
    trainer = model if change is None else keras.Sequential([keras.Input(model.input_shape[1:]), change, model])
    trainer.compile(
        optimizer=keras.optimizers.get({"class_name": setting.optimizer, "config": {"learning_rate": setting.lr}}),
        loss=losses.build(setting.loss),
        metrics=["accuracy"],
        jit_compile=backend.compile_jit(),
    )
    watch = _watch(model, setting.checkpoint, on_epoch)
    x, y = part("train", setting.balance)
    trainer.fit(
        x, y, batch_size=setting.batch_size, epochs=setting.epochs, validation_data=part("validation"),
        validation_batch_size=PREDICT_BATCH, callbacks=[watch], verbose=0,
    )  # fmt: skip
    history = pd.DataFrame(watch.epochs, columns=list(TABLES["history"]))
    if watch.best_weights is None:
        return history, len(history)
    model.set_weights(watch.best_weights)
    return history, watch.best_epoch


def _watch(model: "keras.Model", checkpoint: str, on_epoch: Callable[[int], None]) -> Any:
    """The callback that times epochs, keeps the history, stops a diverging run and remembers the best weights."""
    import keras

    class Watch(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[dict[str, float]] = []
            self.best_loss = math.inf
            self.best_epoch = 0
            self.best_weights: list[np.ndarray] | None = None

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.started = time.monotonic()

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            names = ("loss", "accuracy", "val_loss", "val_accuracy")
            values = {name: float((logs or {}).get(name, math.nan)) for name in names}
            self.epochs.append({"epoch": epoch + 1, **values, "seconds": time.monotonic() - self.started})
            if checkpoint == "best" and values["val_loss"] < self.best_loss:
                self.best_loss, self.best_epoch = values["val_loss"], epoch + 1
                self.best_weights = model.get_weights()
            if not math.isfinite(values["loss"]):
                self.model.stop_training = True
            on_epoch(epoch + 1)

    return Watch()
