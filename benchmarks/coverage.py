"""How often the intervals hold the truth and the verdicts are false, in simulated studies whose truth is known.

A network's score of an image is a normal deviate: the class and the setting move its mean, the seed moves how far
(training differs), the patient moves all settings alike (some images are hard), and what is left is the image's own
with this setting and seed. So patient, seed and their interplay are all in it. The truth is the expected metric over
seeds on infinitely many images, by quadrature.

    python benchmarks/coverage.py [TRIALS]     # studies a row of coverage, default 1,000; 2/5 of it a row of verdicts
"""

import dataclasses
import itertools
import os
import sys
from collections.abc import Sequence

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # its products are small: threads would wait for each other

import numpy as np
from scipy.special import expit, ndtr, ndtri

from cxrbench.evaluation.comparisons import Contrast, Rules, Run, compare
from cxrbench.evaluation.metrics import LOWER_IS_BETTER
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.verdicts import Claim, Verdict, judge

# The default margin, which 500 images can't fill with an interval, and one that they can: the expected accuracy or AUC
# of setting 0 under each.
BEST = {0.01: {"accuracy": 0.93, "auc": 0.97}, 0.05: {"accuracy": 0.88}}
MARGIN = 0.01
PATIENT, SEED, REST = 0.6, 0.25, 0.8  # standard deviations of the patient's, the seed's and the remaining part
OF_IMAGE = float(np.hypot(PATIENT, REST))
RULES = Rules(confidence=0.95, margin=MARGIN, resamples=400, seed=0)
METRICS = ("accuracy", "recall", "precision", "f1", "auc", "loss", "mse")
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # so that f(NODES) @ WEIGHTS is the expectation of f of a standard normal deviate


@dataclasses.dataclass(frozen=True)
class World:
    """How a test part is drawn."""

    images: int = 500
    ill: float = 0.6  # share of the images
    a_patient: int = 1  # images of each patient
    constant: bool = False  # whether the last setting gives every image one score


WORLDS = {
    "500 images, 60 % ill": World(),
    "500 images of 167 patients": World(a_patient=3),
    "500 images, 5 % ill": World(ill=0.05),
    "100 images": World(images=100),
    "one setting says 'ill' of every image": World(constant=True),
}
PLAIN, PATIENTS, RARE, SMALL, CONSTANT = WORLDS
COVERED = [  # what is measured for each number of seeds
    *((metric, PLAIN) for metric in METRICS),
    *(("accuracy", world) for world in (PATIENTS, RARE, SMALL, CONSTANT)),
    *((metric, RARE) for metric in ("recall", "f1", "auc")),
]


def distance_of(value: float, metric: str = "accuracy") -> float:
    """How far apart the classes' means are for this expected accuracy or AUC, in units of the latent score."""
    if metric == "auc":
        return float(ndtri(value) * np.sqrt(2 * OF_IMAGE**2 + SEED**2))
    return float(2 * ndtri(value) * np.sqrt(OF_IMAGE**2 + SEED**2 / 4))


def truth(metric: str, apart: float, ill: float) -> float:
    """The expected ``metric`` over seeds on infinitely many images, a share ``ill`` of them of class 1."""
    of_seed = apart + SEED * NODES
    if metric == "auc":
        return float(ndtr(of_seed / np.sqrt(2) / OF_IMAGE) @ WEIGHTS)
    right = ndtr(of_seed / 2 / OF_IMAGE)  # of each class, since the threshold lies midway
    called = ill * right + (1 - ill) * (1 - right)
    score = expit(of_seed[:, None] / 2 + OF_IMAGE * NODES)  # of the image's own class
    values = {
        "accuracy": right,
        "recall": right,
        "precision": ill * right / called,
        "f1": 2 * ill * right / (ill + called),
        "loss": -np.log(score) @ WEIGHTS,
        "mse": (1 - score) ** 2 @ WEIGHTS,
    }
    return float(values[metric] @ WEIGHTS)


def draw(world: World, distances: Sequence[float], seeds: int, rng: np.random.Generator) -> dict[str, list[Run]]:
    """A study of one setting for each of these distances of the classes' means."""
    patient = np.arange(world.images) // world.a_patient
    target = (rng.random(patient[-1] + 1) < world.ill).astype("int64")[patient]
    target[:2] = 0, 1  # both classes are there
    names, hard = patient.astype(str), PATIENT * rng.normal(size=patient[-1] + 1)[patient]
    apart = np.array(distances)[:, None, None] + SEED * rng.normal(size=(len(distances), seeds, 1))
    rest = REST * rng.standard_normal((len(distances), seeds, world.images), dtype="float32")
    latent = ((2 * target - 1) * apart / 2 + hard).astype("float32") + rest
    if world.constant:
        latent[-1] = 1.0
    return {
        f"setting {number}": [
            Run(seed, {"test": "ok"}, {"test": Scores(names, target, score)}, {}) for seed, score in enumerate(scores)
        ]
        for number, scores in enumerate(expit(latent))
    }


def coverage(metric: str, seeds: int, world: World, trials: int) -> tuple[float, float]:
    """Share of intervals of a difference of two settings that hold the truth, and their median width."""
    rng = np.random.default_rng([seeds, METRICS.index(metric), world.images, world.a_patient, int(100 * world.ill)])
    distances = [distance_of(0.93), distance_of(0.91)]
    a, b = (truth(metric, apart, world.ill) for apart in distances)
    if world.constant:
        b = world.ill  # an accuracy
    true = (b - a) if metric in LOWER_IS_BETTER else (a - b)
    contrast = Contrast(metric, "test", "setting 0", "setting 1", (-MARGIN, MARGIN))
    held, widths = 0, []
    for _ in range(trials):
        (one,) = compare(draw(world, distances, seeds, rng), [contrast], RULES)
        held += one.low <= true <= one.high
        widths.append(one.high - one.low)
    return held / trials, float(np.median(widths))


# By how much setting 0 is better than the others, in margins: the truth of each other setting is one of these, in turn.
TRUTHS = {
    "no difference": (0.0,),
    "in the zone": (0.5, -0.5),
    "at one edge": (1.0,),
    "at both edges": (1.0, -1.0),
    "beyond it": (1.5, -1.5),
}
FAMILIES = ("better", "best and equal")


def claims_of(family: str, comparisons: int, metric: str) -> list[Claim]:
    """A claim that setting 0 is better for each other setting, or two claims on all of them together."""
    others = tuple(f"setting {k + 1}" for k in range(comparisons))
    if family == "better":
        return [
            Claim(other, "study", "", "better", metric, "test", ("setting 0",), against=(other,)) for other in others
        ]
    return [
        Claim("best", "study", "", "best", metric, "test", ("setting 0",), against=others),
        Claim("equal", "study", "", "equal", metric, "test", ("setting 0", *others)),
    ]


def is_false(one: Verdict, value: dict[str, float], margin: float) -> tuple[bool, bool, bool]:
    """Whether a verdict is falsely 'supported', 'contradicted' or 'no difference of weight'; ``value``: the truth."""
    claim, slack = one.claim, 1e-9  # a truth at an edge is on the side on which it makes the verdict false
    if claim.kind == "equal":
        gaps = [value[a] - value[b] for a, b in itertools.combinations(claim.settings, 2)]
        holds, refuted = (max(map(abs, gaps)) < margin - slack), (max(map(abs, gaps)) > margin + slack)
    else:
        gaps = [value[claim.settings[0]] - value[other] for other in claim.against]
        holds, refuted = (min(gaps) > margin + slack), (min(gaps) < -margin - slack)
    if one.decisive is None or one.decisive.contrast.b is None:
        raise ValueError(f"claim {claim.id} was not tested: {one.reason}")
    contrast = one.decisive.contrast
    apart = abs(value[contrast.a] - value[str(contrast.b)]) >= margin - slack
    inside = one.verdict == "undecided" and one.decisive.relation == "inside"
    return one.verdict == "supported" and not holds, one.verdict == "contradicted" and not refuted, inside and apart


def false_verdicts(
    comparisons: int,
    seeds: int,
    differences: tuple[float, ...],
    trials: int,
    world: World = WORLDS[PLAIN],
    family: str = "better",
    metric: str = "accuracy",
    margin: float = MARGIN,
) -> np.ndarray:
    """Share of studies with a false verdict: supported, contradicted, no difference of weight, and any of them, (4,).

    ``differences`` are the truth, in margins and in turn, of how much better setting 0 is than each of the others.
    """
    rng = np.random.default_rng([comparisons, seeds, world.images, world.a_patient, int(100 * world.ill)])
    best, rules = BEST[margin][metric], dataclasses.replace(RULES, margin=margin)
    reached = [best, *(best - margin * np.resize(differences, comparisons))]
    distances = [distance_of(one, metric) for one in reached]
    value = {f"setting {k}": one for k, one in enumerate(reached)}
    if world.constant:
        value[f"setting {comparisons}"] = world.ill
    claims = claims_of(family, comparisons, metric)
    wrong = np.zeros(4)
    for _ in range(trials):
        verdicts = judge(claims, draw(world, distances, seeds, rng), rules)
        kinds = np.any([is_false(one, value, margin) for one in verdicts], axis=0)
        wrong += [*kinds, kinds.any()]
    return wrong / trials


def percent(share: float, trials: int) -> str:
    """A share with its Monte-Carlo standard error; where none or all were counted, that of one more or less."""
    at = min(max(share, 1 / trials), 1 - 1 / trials)
    return f"{100 * share:.1f} ± {100 * np.sqrt(at * (1 - at) / trials):.1f}"


def print_false_verdicts(trials: int) -> None:
    """A row for each family of claims, number of rivals and seeds, metric, test part, margin and truth."""
    rows = [
        *(("better", k, seeds, "accuracy", PLAIN, 0.01) for k in (2, 5, 20) for seeds in (3, 5, 10)),
        *(("better", k, seeds, "accuracy", PLAIN, 0.05) for k in (2, 5, 20) for seeds in (3, 10)),
        *(("best and equal", k, 3, "accuracy", PLAIN, 0.05) for k in (2, 5, 20)),
        *(("better", 5, 3, "accuracy", world, 0.01) for world in (PATIENTS, RARE, SMALL, CONSTANT)),
        *(("better", 5, 3, "auc", world, 0.01) for world in (PLAIN, RARE)),
    ]
    for family, k, seeds, metric, world, margin in rows:
        for name, differences in TRUTHS.items():
            shares = false_verdicts(k, seeds, differences, trials, WORLDS[world], family, metric, margin)
            cells = [family, k, seeds, metric, world, f"{100 * margin:g}", name, *(percent(s, trials) for s in shares)]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"Coverage of 95 % intervals of a difference, {trials} studies a row; ± Monte-Carlo standard error\n")
    print("| metric | test part | seeds | coverage, % | median width |\n|---|---|---:|---:|---:|")
    for seeds in (3, 5, 10):
        for metric, name in COVERED:
            share, width = coverage(metric, seeds, WORLDS[name], trials)
            print(f"| {metric} | {name} | {seeds} | {percent(share, trials)} | {width:.4f} |", flush=True)
    studies = max(1, trials * 2 // 5)  # each of many settings; a rate of 5 % is known to 1.1 where ``trials`` is 1,000
    print(f"\nStudies with a false verdict, % of {studies} a row; nominal: any at most 5 %\n")
    print(
        "| claims | rivals | seeds | metric | test part | margin, points | truths"
        " | supported | contradicted | no weight | any |\n|---|---:|---:|---|---|---:|---|---:|---:|---:|---:|"
    )
    print_false_verdicts(studies)


if __name__ == "__main__":
    main()
