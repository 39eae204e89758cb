"""How often intervals hold the truth where each seed has a split of its own, in simulated studies of known truth.

A pool of patients is drawn, and of it a split for each seed; two settings learn a linear classifier (nearest means)
from the split's training images, the one from all features, the other from some, and the seed moves its weights. So
what training and test sets share over seeds is in it, as on real images. The truth is what such networks, trained on
splits of this pool, reach on the population: in closed form for a network, averaged over 100 further splits. Beside
it stands the coverage of the mean truth over all pools, which no interval here claims.

    nice python benchmarks/redrawn_coverage.py [TRIALS]              # of each world; default 1,000
"""

import dataclasses
import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from scipy.special import expit, ndtr

from cxrbench.evaluation.comparisons import Contrast, Rules, Run, compare
from cxrbench.evaluation.resampling import Scores

RULES = Rules(confidence=0.95, margin=0.01, resamples=400, seed=0)
FURTHER = 100  # splits of which the truth is the mean


@dataclasses.dataclass(frozen=True)
class World:
    """Numbers of patients, half of each class, one image each; and how the two settings learn."""

    pool: int
    train: int
    test: int
    features: tuple[int, int]  # of each setting, the first of all features
    shift: float  # of the seed on each weight, a share of it
    apart: float = 0.35  # the two classes' means in each feature, in standard deviations


WORLDS = {
    "shares of the papers' split": World(600, 300, 52, (8, 6), 0.3),
    "the seed moves much": World(600, 300, 52, (8, 6), 1.0),
    "tests overlap by two fifths": World(200, 100, 80, (8, 6), 0.3),
    "few to train on": World(300, 40, 60, (20, 10), 0.1),
    "one setting": World(600, 300, 52, (8, 8), 0.3),
}


def coverage(world: World, seeds: int, trials: int, start: int = 0) -> tuple[float, float, float]:
    """Shares of intervals that hold the truth of their pool and the mean truth; the intervals' mean half width."""
    rng = np.random.default_rng(start)
    found = [_study(world, seeds, rng) for _ in range(trials)]
    low, high, truth = np.array(found).T
    mean = truth.mean()
    held, held_mean = (low <= truth) & (truth <= high), (low <= mean) & (mean <= high)
    return float(held.mean()), float(held_mean.mean()), float((high - low).mean() / 2)


def _study(world: World, seeds: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """The ends of the interval of one study, and its truth."""
    target = np.arange(world.pool) % 2
    middle = np.full(max(world.features), world.apart / 2)
    images = rng.normal(size=(world.pool, len(middle))) + np.where(target[:, None] == 1, middle, -middle)
    names = np.array([f"p{i}" for i in range(world.pool)])
    study: dict[str, list[Run]] = {"all": [], "some": []}
    for seed in range(seeds):
        train, test = _split(world, target, rng)
        for setting, features in zip(study, world.features):
            weights, bias = _learnt(images[train], target[train], features, world.shift, rng)
            scores = Scores(names[test], target[test], expit(images[test] @ weights + bias))
            study[setting].append(Run(seed, {"test": "ok"}, {"test": scores}, {}, redrawn=True))
    rules = dataclasses.replace(RULES, seed=int(rng.integers(2**31)))
    (found,) = compare(study, [Contrast("accuracy", "test", "all", "some", (-0.01, 0.01))], rules)
    truths = []
    for _ in range(FURTHER):
        train, _ = _split(world, target, rng)
        reached = [
            _reached(*_learnt(images[train], target[train], n, world.shift, rng), middle) for n in world.features
        ]
        truths.append(reached[0] - reached[1])
    return found.low, found.high, float(np.mean(truths))


def _split(world: World, target: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    classes = [rng.permutation(np.flatnonzero(target == label)) for label in (0, 1)]
    train, both = world.train // 2, (world.train + world.test) // 2
    return np.concatenate([one[:train] for one in classes]), np.concatenate([one[train:both] for one in classes])


def _learnt(
    images: np.ndarray, target: np.ndarray, features: int, shift: float, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Weights (features,) and bias; positive scores call 1."""
    ones, zeros = images[target == 1].mean(axis=0), images[target == 0].mean(axis=0)
    weights = (ones - zeros) * (1 + shift * rng.normal(size=len(ones)))
    weights[features:] = 0
    return weights, float(-weights @ (ones + zeros) / 2)


def _reached(weights: np.ndarray, bias: float, middle: np.ndarray) -> float:
    """The accuracy on the population of half of each class."""
    length = np.linalg.norm(weights)
    return float(ndtr((weights @ middle + bias) / length) + ndtr((weights @ middle - bias) / length)) / 2


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{'world':30} seeds  holds the pool's truth  the mean truth  half width ({trials} studies each)")
    for seeds in (2, 3, 5, 10):
        for name, world in WORLDS.items():
            held, held_mean, half = coverage(world, seeds, trials)
            print(f"{name:30} {seeds:5} {held:23.3f} {held_mean:15.3f} {half:11.4f}", flush=True)


if __name__ == "__main__":
    main()
