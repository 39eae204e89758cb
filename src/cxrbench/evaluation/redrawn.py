"""How sure a mean over seeds, or a difference of two, is where each seed has a split of its own.

Two settings share the split of a seed, so their difference is taken within it: the differences of S seeds are S draws
from all splits of these images and all seeds, and their spread, by Student's t with S - 1 degrees of freedom, holds
the seed's part, the split's, and the chance which images test. What it can't show is what all splits share: the images
themselves are a sample of patients, and some of them test several splits. That part is the mean covariance of two
seeds' differences as patients are resampled, the same ones for every seed. So the variance is

    variance over seeds / S + mean covariance of two seeds

which is the form for readers and cases of Obuchowski & Rockette 1995 with the degrees of freedom of Hillis 2007, each
reader with cases of his own. The answer is about networks that train on splits of these images and are judged on the
population of their patients, as is the mean of a cross-validation (Bayle et al. 2020, arXiv 2007.12671). It is not
about training on other patients' images: for that question overlapping training sets would ask for a correction, such
as that of Nadeau & Bengio 2003, but neither does the fixed split's interval answer it. tests/evaluation/test_redrawn.py
holds the coverage by simulation.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from cxrbench.evaluation.metrics import most
from cxrbench.evaluation.resampling import Estimate, Resamples, Scores, sample


def mean_of_seeds(a: Sequence[Scores], b: Sequence[Scores] | None, metric: str, resamples: Resamples) -> Estimate:
    """The mean over seeds of ``a``, less that of ``b``: run by run of one seed and so of one split.

    ``resamples`` are of every patient of the runs. Not a number where the metric is undefined in a run.
    """
    values, resampled = _by_seed(a, metric, resamples)
    bounds = (0.0, most(metric))
    if b is not None:
        values_of_b, resampled_of_b = _by_seed(b, metric, resamples)
        values, resampled = values - values_of_b, resampled - resampled_of_b
        bounds = (-most(metric), most(metric))
    patients = len({patient for run in (*a, *(b or ())) for patient in run.patient.tolist()})
    variance, seeds = float(values.var(ddof=1)), len(values)
    defined = resampled[:, np.isfinite(resampled).all(axis=0)]  # a resample of a tiny part may hold one class only
    if defined.shape[1] < 2:
        return Estimate(math.nan, (variance,), (seeds,), math.nan, patients, bounds)
    covariances = np.cov(defined)
    shared = float(np.mean([covariances[pair] for pair in itertools.combinations(range(seeds), 2)]))
    by_images = float(np.diagonal(covariances).mean()) - shared
    # As in resampling.py: half a count in each discordant cell (Agresti & Min 2005) where nothing is there to resample.
    shared = max(shared, 1 / (patients + 2) ** 2)
    return Estimate(float(values.mean()), (max(variance, by_images),), (seeds,), shared, patients, bounds)


def _by_seed(runs: Sequence[Scores], metric: str, resamples: Resamples) -> tuple[np.ndarray, np.ndarray]:
    """The metric of each run, (seeds,), and in each resample of patients, (seeds, resamples)."""
    samples = [sample([run], metric, resamples) for run in runs]
    return np.concatenate([one.values for one in samples]), np.stack([one.resampled for one in samples])
