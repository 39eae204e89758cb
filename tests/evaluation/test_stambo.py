"""The paired bootstrap over patients agrees with stambo, and Holm's steps with stambo and statsmodels.

stambo resamples images or groups of them and knows no seeds. So each setting here has two runs of the same scores: its
variance over seeds is 0, and what is left of our interval is the patients' part.
"""

import gc
import math

import numpy as np
import pytest
import stambo
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from cxrbench.evaluation.crosschecks import delong
from cxrbench.evaluation.decisions import holm_levels
from cxrbench.evaluation.metrics import evaluate
from cxrbench.evaluation.resampling import Resamples, Scores, difference, sample

DRAWS = 500  # of stambo and of ours
# The SD of n draws has a relative standard error of 1 / sqrt(2 n), a ratio of two that of sqrt(2) times as much.
SD_RATIO = 4 * math.sqrt(2) / math.sqrt(2 * DRAWS)
# The 2.5 % quantile of n draws has a standard error of sqrt(0.025 * 0.975 / n) / phi(1.96) SDs.
QUANTILE = 4 * math.hypot(math.sqrt(0.025 * 0.975 / DRAWS) / 0.0584, 1.96 / math.sqrt(2 * DRAWS))


def accuracy(images):
    return float(np.mean(images.predictions_am == images.gt))


STATISTICS = {
    "accuracy": accuracy,
    "f1": stambo.metrics.Metric(f1_score, int_input=True),  # stambo 0.1.6's own hands over scores, not calls
    "auc": stambo.metrics.ROCAUC(),
    "mse": stambo.metrics.MSE(),
}


def two_settings(a_patient):
    """Two settings' scores of 400 images that find the same patients hard."""
    rng = np.random.default_rng(a_patient)
    patient = np.arange(400) // a_patient
    target = (rng.random(patient[-1] + 1) < 0.6).astype(int)[patient]
    hard = 0.8 * rng.normal(size=patient[-1] + 1)[patient]
    latent = [skill * (2 * target - 1) / 2 + hard + 0.6 * rng.normal(size=400) for skill in (2.6, 2.2)]
    return patient, target, *(1 / (1 + np.exp(-one)) for one in latent)


@pytest.fixture(scope="module", params=[1, 4], ids=["one image a patient", "four images a patient"])
def both(request):
    """A function of a metric: our estimate of b - a, stambo's comparison and its draws (DRAWS,) of b - a."""
    patient, target, a, b = two_settings(request.param)
    runs = [[Scores(patient.astype(str), target, score)] * 2 for score in (b, a)]
    resamples = Resamples([runs[0][0]], DRAWS, 1)
    wrapped = tuple(stambo.PredSampleWrapper(score, target, multiclass=False) for score in (a, b))
    draws = stambo.bootstrap_arrays(wrapped, STATISTICS, patient, DRAWS, seed=2, silent=True)
    said = stambo.pairwise_bootstrap_test(wrapped, STATISTICS, labels=("a", "b"), bootstrap_results=draws)

    def of(metric):
        (pair,) = said[metric].values()
        return difference(*(sample(one, metric, resamples) for one in runs)), pair, np.diff(draws[metric])[:, 0]

    return (target, a, b), of


@pytest.mark.slow
@pytest.mark.parametrize("metric", STATISTICS)
def test_a_run_has_stambos_value_and_a_difference_stambos_spread_and_interval(both, metric):
    (target, a, b), of = both
    ours, theirs, draws = of(metric)
    assert evaluate(target, a)[1][metric] == pytest.approx(theirs["emp_s1"])
    assert evaluate(target, b)[1][metric] == pytest.approx(theirs["emp_s2"])
    assert ours.value == pytest.approx(theirs["diff"])
    spread, (low, high) = np.std(draws, ddof=1), ours.interval(0.05)
    least = 1 / (ours.patients + 2)  # ours never falls below: resamples that all agree prove little
    assert ours.error == pytest.approx(max(spread, least), rel=SD_RATIO)
    if spread > least:
        assert (low, high) == pytest.approx(theirs["ci_es"], abs=QUANTILE * spread)
    else:
        assert low < theirs["ci_es"][0] < theirs["ci_es"][1] < high


@pytest.mark.slow
def test_the_p_of_an_auc_is_stambos(both):  # an accuracy has ties, which stambo counts whole on both sides
    ours, theirs, _ = both[1]("auc")
    # The tail has a binomial error of sqrt(q (1 - q) / n); ours moves with its SD, which is known to 1 / sqrt(2 n).
    q, z = ours.p_value(0) / 2, abs(ours.value) / ours.error
    of_sd = 2 * z * math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) / math.sqrt(2 * DRAWS)
    slack = 4 * math.hypot(2 * math.sqrt(q * (1 - q) / DRAWS), of_sd) + 2 / DRAWS  # and the draw that stambo adds
    assert ours.p_value(0) == pytest.approx(theirs["p_value"], abs=slack)


@pytest.mark.slow
def test_delongs_error_is_the_spread_of_stambos_draws_of_an_auc():
    _, target, a, b = two_settings(1)
    wrapped = tuple(stambo.PredSampleWrapper(score, target, multiclass=False) for score in (a, b))
    draws = stambo.bootstrap_arrays(wrapped, {"auc": stambo.metrics.ROCAUC()}, None, DRAWS, seed=3, silent=True)["auc"]
    spread = np.std(draws[:, 1] - draws[:, 0], ddof=1)
    fewer = min(target.sum(), (1 - target).sum())  # the two variances differ by a term of order 1 / n
    assert delong(target, a, b).error == pytest.approx(spread, rel=4 / math.sqrt(2 * DRAWS) + 1 / fewer)


p_values = st.lists(st.floats(1e-6, 1), min_size=1, max_size=12)


@settings(max_examples=50)
@given(p_values)
def test_holms_steps_reject_what_stambo_and_statsmodels_reject(values):
    from statsmodels.stats.multitest import multipletests

    levels = holm_levels(values, 0.05)
    ours = [p < level for p, level in zip(values, levels)]
    adjusted = stambo.holm_bonferroni_correction(values)
    with pytest.MonkeyPatch.context() as patch:  # statsmodels collects garbage at each call, half a second of it here
        patch.setattr(gc, "collect", lambda *_: 0)
        theirs = multipletests(values, method="holm")[1]
    clear = np.abs(adjusted - 0.05) > 1e-9  # at the level itself, rounding decides
    assert np.array_equal(np.array(ours)[clear], (adjusted < 0.05)[clear])
    assert adjusted == pytest.approx(theirs)
