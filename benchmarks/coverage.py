"""How often the intervals hold the truth and the verdicts are false, in simulated studies whose truth is known.

A network's score of an image is a normal deviate: the class and the setting move its mean, the seed moves how far
(training differs), the patient moves all settings alike (some images are hard), and what is left is the image's own
with this setting and seed. So patient, seed and their interplay are all in it. The expected metric over patients and
seeds is the truth: of accuracy and AUC in closed form, of the others from two million further images.

    python benchmarks/coverage.py [TRIALS]              # a study; default 1,000
"""

import dataclasses
import os
import sys
from collections.abc import Iterator

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # its products are small: threads would wait for each other

import numpy as np
from scipy.special import expit, ndtr, ndtri

from cxrbench.evaluation.comparisons import Contrast, Rules, Run, compare
from cxrbench.evaluation.metrics import LOWER_IS_BETTER, evaluate
from cxrbench.evaluation.resampling import Scores

PATIENT, SEED, REST = 0.6, 0.25, 0.8  # standard deviations of the patient's, the seed's and the remaining part
MARGIN = 0.01
RULES = Rules(confidence=0.95, margin=MARGIN, resamples=400, seed=0)
METRICS = ("accuracy", "recall", "precision", "f1", "auc", "loss", "mse")
FAR = 2_000_000  # images of the truth of a metric without a closed form


@dataclasses.dataclass(frozen=True)
class World:
    """How a test part is drawn."""

    images: int = 500
    ill: float = 0.6  # share of the images
    a_patient: int = 1  # images of each patient
    constant: bool = False  # whether the last setting gives every image one score


PLAIN = World()
WORLDS = {
    "500 images, 60 % ill": PLAIN,
    "500 images of 167 patients": World(a_patient=3),
    "500 images, 5 % ill": World(ill=0.05),
    "100 images": World(images=100),
    "one setting says 'ill' of every image": World(constant=True),
}


def distance_of(accuracy: float) -> float:
    """How far apart the classes' means are for this expected accuracy: accuracy = Phi(d / 2 / s)."""
    return float(2 * ndtri(accuracy) * np.sqrt(PATIENT**2 + REST**2 + SEED**2 / 4))


def draw(world: World, accuracies: list[float], seeds: int, rng: np.random.Generator) -> dict[str, list[Run]]:
    """A study of one setting for each of these expected accuracies."""
    patient = np.arange(world.images) // world.a_patient
    target = (rng.random(patient[-1] + 1) < world.ill).astype("int64")[patient]
    target[:2] = 0, 1  # both classes are there
    names, hard = patient.astype(str), PATIENT * rng.normal(size=patient[-1] + 1)[patient]
    study = {}
    for number, accuracy in enumerate(accuracies):
        runs = []
        for seed in range(seeds):
            apart = distance_of(accuracy) + SEED * rng.normal()
            latent = (2 * target - 1) * apart / 2 + hard + REST * rng.normal(size=world.images)
            if world.constant and number == len(accuracies) - 1:
                latent = np.full(world.images, 1.0)
            runs.append(Run(seed, {"test": "ok"}, {"test": Scores(names, target, expit(latent))}, {}))
        study[f"setting {number}"] = runs
    return study


def truth(metric: str, accuracy: float, world: World, rng: np.random.Generator) -> float:
    """The expected value of ``metric`` over images and seeds."""
    apart = distance_of(accuracy)
    if metric in ("accuracy", "recall"):
        return accuracy
    if metric == "auc":
        return float(ndtr(apart / np.sqrt(2 * (PATIENT**2 + REST**2) + SEED**2)))
    values = []  # the mean over seeds of a run's metric, each run on very many images
    for _ in range(100):
        target = (rng.random(FAR // 100) < world.ill).astype("int64")
        of_seed = apart + SEED * rng.normal()
        noise = np.hypot(PATIENT, REST) * rng.normal(size=len(target))
        values.append(evaluate(target, expit((2 * target - 1) * of_seed / 2 + noise))[1][metric])
    return float(np.mean(values))


def coverage(metric: str, seeds: int, world: World, trials: int) -> tuple[float, float]:
    """Share of intervals of a difference of two settings that hold the truth, and their median width."""
    rng = np.random.default_rng([seeds, len(metric), world.images, world.a_patient])
    accuracies = [0.93, 0.91]
    a, b = (truth(metric, one, world, rng) for one in accuracies)
    true = (b - a) if metric in LOWER_IS_BETTER else (a - b)
    if world.constant:
        true = accuracies[0] - world.ill
    contrast = Contrast(metric, "test", "setting 0", "setting 1", (-MARGIN, MARGIN))
    held, widths = 0, []
    for _ in range(trials):
        (one,) = compare(draw(world, accuracies, seeds, rng), [contrast], RULES)
        held += one.low <= true <= one.high
        widths.append(one.high - one.low)
    return held / trials, float(np.median(widths))


# What the settings after the first reach less than it: each truth of a family is one of these, in turn.
TRUTHS = {
    "no difference": (0.0,),
    "in the zone": (0.005, -0.005),
    "at its edges": (MARGIN, -MARGIN),
    "beyond it": (0.03, -0.03),
}


def false_relations(comparisons: int, seeds: int, differences: tuple[float, ...], trials: int) -> Iterator[float]:
    """Share of studies with a relation that is false: above, below, inside, and any of them."""
    rng = np.random.default_rng([comparisons, seeds])
    true = np.resize(differences, comparisons)
    contrasts = [
        Contrast("accuracy", "test", "setting 0", f"setting {k + 1}", (-MARGIN, MARGIN)) for k in range(comparisons)
    ]
    wrong = np.zeros(4)
    for _ in range(trials):
        study = draw(PLAIN, [0.93, *(0.93 - true)], seeds, rng)
        said = np.array([one.relation for one in compare(study, contrasts, RULES)])
        kinds = (
            (said == "above") & (true <= MARGIN),
            (said == "below") & (true >= -MARGIN),
            (said == "inside") & (abs(true) >= MARGIN),
        )
        wrong += [*(kind.any() for kind in kinds), np.any(kinds)]
    yield from wrong / trials


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"Coverage of 95 % intervals of a difference, {trials} studies each\n")
    print("| metric | test part | seeds | coverage, % | median width |\n|---|---|---:|---:|---:|")
    for seeds in (3, 5, 10):
        rows = [(metric, "500 images, 60 % ill") for metric in METRICS]
        rows += [("accuracy", name) for name in list(WORLDS)[1:]] + [("auc", "500 images, 5 % ill")]
        for metric, name in rows:
            share, width = coverage(metric, seeds, WORLDS[name], trials)
            print(f"| {metric} | {name} | {seeds} | {100 * share:.1f} | {width:.4f} |", flush=True)
    print(f"\nFalse relations of accuracy, % of {trials} studies; nominal 5 % for any\n")
    print("| comparisons | seeds | truths | above | below | inside | any |\n|---:|---:|---|---:|---:|---:|---:|")
    for comparisons in (2, 5, 20):
        for seeds in (3, 5, 10):
            for name, differences in TRUTHS.items():
                shares = false_relations(comparisons, seeds, differences, trials)
                cells = " | ".join(f"{100 * share:.1f}" for share in shares)
                print(f"| {comparisons} | {seeds} | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
