"""How long the intervals of a large study take: 12 settings of 3 seeds on 500 test images, 10,000 resamples.

Every setting is compared with every other one in each of the metrics of the results table on test, and the groups of
the best are found, so all that a report asks of such a study is in it.

    python benchmarks/resampling.py
"""

import time

import numpy as np

from cxrbench.evaluation.best_group import best_group
from cxrbench.evaluation.comparisons import Contrast, Rules, Run, all_pairs, compare
from cxrbench.evaluation.resampling import Scores

SETTINGS, SEEDS, IMAGES = 12, 3, 500
METRICS = ("accuracy", "precision", "recall", "f1", "auc")
RULES = Rules(confidence=0.95, margin=0.01, resamples=10_000, seed=0)


def study() -> dict[str, list[Run]]:
    """Scores of networks that find the same images hard."""
    rng = np.random.default_rng(0)
    target = (np.arange(IMAGES) >= 200).astype("int64")
    names, hard = np.array([f"patient {i}" for i in range(IMAGES)]), 0.6 * rng.normal(size=IMAGES)
    latent = (2 * target - 1) * 1.5 + hard + 0.8 * rng.normal(size=(SETTINGS, SEEDS, IMAGES))
    return {
        f"setting {number}": [
            Run(seed, {"test": "ok"}, {"test": Scores(names.copy(), target.copy(), score)}, {})
            for seed, score in enumerate(1 / (1 + np.exp(-of_setting)))
        ]
        for number, of_setting in enumerate(latent)
    }


def main() -> None:
    runs = study()
    pairs = all_pairs(list(runs))
    print(f"{SETTINGS} settings, {SEEDS} seeds, {IMAGES} images, {RULES.resamples:,} resamples; seconds")
    print(f"{'':34}   wall  processor")
    total = np.zeros(2)
    for metric in METRICS:
        contrasts = [Contrast(metric, "test", a, b, (-RULES.margin, RULES.margin)) for a, b in pairs]
        total += timed(f"{len(pairs)} differences of {metric}", lambda asked=contrasts: compare(runs, asked, RULES))
    total += timed("P(A beats B), group of the best", lambda: best_group(runs, "setting 0", RULES))
    print(f"{'all':34} {total[0]:6.2f}     {total[1]:6.2f}   (asked: below 10)")


def timed(name: str, work) -> np.ndarray:
    """Wall and processor seconds, (2,)."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    taken = np.array([time.perf_counter() - wall, time.process_time() - processor])
    print(f"{name:34} {taken[0]:6.2f}     {taken[1]:6.2f}", flush=True)
    return taken


if __name__ == "__main__":
    main()
