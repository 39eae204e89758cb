"""How often any relation is false in a family of comparisons, by the rule until issue 8 and by the present one.

Every truth lies exactly at an edge of its zone, so that 'above' and 'inside' are both false; the standard error is
known and 0.3 of the margin. The old rule took the smaller p over the two edges for a Holm step:

    python benchmarks/family_error.py [TRIALS]
"""

import sys

import numpy as np

from cxrbench.evaluation.decisions import Question, decide, holm_levels
from cxrbench.evaluation.resampling import Estimate

ALPHA, MARGIN, ERROR = 0.05, 1.0, 0.3
ZONE = (-MARGIN, MARGIN)
COUNTS = (3, 6, 19)
TRUTHS = {"all at the upper edge": (1.0,), "at both edges in turn": (1.0, -1.0)}


def old_rule(estimates: list[Estimate]) -> list[bool]:
    """Which estimates the rule until issue 8 gave a relation: it stepped on by whichever edge was farther away."""
    levels = holm_levels([min(one.p_value(edge) for edge in ZONE) for one in estimates], ALPHA)
    intervals = [one.interval(level) for one, level in zip(estimates, levels)]
    return [low > ZONE[1] or high < ZONE[0] or (low > ZONE[0] and high < ZONE[1]) for low, high in intervals]


def new_rule(estimates: list[Estimate]) -> list[bool]:
    questions = [Question([estimate], [ZONE]) for estimate in estimates]
    return [one.relation != "open" for (one,) in decide(questions, ALPHA)]


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    print(f"Any false relation, share of {trials} trials; nominal {ALPHA}, standard error {ERROR} of the margin")
    print("| truths | comparisons | old rule | new rule |\n| --- | ---: | ---: | ---: |")
    for name, truths in TRUTHS.items():
        for count in COUNTS:
            rng = np.random.default_rng(count)
            wrong = np.zeros(2)
            for _ in range(trials):
                values = np.resize(truths, count) + ERROR * rng.normal(size=count)
                estimates = [Estimate(value, (), (), ERROR**2, 1) for value in values]
                wrong += any(old_rule(estimates)), any(new_rule(estimates))
            print(f"| {name} | {count} | {wrong[0] / trials:.3f} | {wrong[1] / trials:.3f} |", flush=True)


if __name__ == "__main__":
    main()
