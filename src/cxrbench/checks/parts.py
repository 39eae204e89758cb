"""What is expected of the tables of the split stage: assignment, duplicates, leaks and shortcuts.

``quotas`` says cohort -> part -> label -> images, already scaled, the label of target 0 first; ``used`` says cohort ->
the protocols that divide it: a source without a split of its own leaves the official one empty.
"""

from collections.abc import Collection
from itertools import combinations, permutations
from math import floor
from typing import Any

from cxrbench.base.tables import PARTS, PROTOCOLS
from cxrbench.checks import expect
from cxrbench.checks.images import unique_images
from cxrbench.config.quotas import Quotas, labels_of

PAIRS = list(combinations(PARTS, 2))
SHARED = {  # kind of leak -> what two sides then share
    "patient, strict": "a patient (strict reading)",
    "patient, loose": "a patient (loose reading)",
    "identical file": "an identical file",
    "near-duplicate": "a near-duplicate",
}
PICTURES = ("identical file", "near-duplicate")
FEATURES = ("file size", "pixel area", "aspect ratio", "colour mode", "mean brightness", "border")
HASH_BITS = 256
AUC_LIMIT = 0.25  # an AUC farther from 0.5 says that a property of the file alone separates the classes

Used = dict[str, list[str]]


def assignment(quotas: dict[str, Quotas], used: Used, official_shortfall: float) -> list[Any]:
    """``official_shortfall``: the share of each training quota that the official protocol may lack."""
    checks = [
        unique_images("source", "image_id"),
        expect.in_set("target", [0, 1], "every target is 0 or 1"),
        expect.in_set("cohort", list(quotas), "every image belongs to a cohort that has quotas"),
        expect.matches("sha256", r"^[0-9a-f]{64}\Z", "every sha256 is 64 hexadecimal digits"),
        expect.filled("patient_id", "every image has a patient"),
    ]
    for protocol in PROTOCOLS:
        words = f"{protocol}: every part is train, validation, test or empty"
        checks.append(expect.in_set(protocol, [*PARTS, ""], words))
    for cohort, parts in quotas.items():
        pair = labels_of(parts)
        words = f"{cohort}: every label is {' or '.join(pair)}"
        checks.append(expect.in_set("label", pair, words, {"cohort": cohort}))
        for target, label in enumerate(pair):
            where = {"cohort": cohort, "label": label}
            checks.append(expect.in_set("target", [target], f"{cohort}: {label} has target {target}", where))
        for protocol in PROTOCOLS:
            if protocol in used[cohort]:
                checks += part_counts(cohort, protocol, parts, official_shortfall if protocol == "official" else 0.0)
            else:
                words = f"{cohort}, official protocol: unused, for its source has no split of its own"
                checks.append(expect.in_set(protocol, [""], words, {"cohort": cohort}))
    return checks


def duplicates(cohorts: Collection[str]) -> list[Any]:
    identical = {"kind": "identical file"}
    return [
        expect.unique(["cohort", "image_a", "image_b"], "no pair of images stands twice"),
        expect.in_set("cohort", cohorts, "every pair belongs to a cohort of params.yaml"),
        expect.ascending("image_a", "image_b", "the images of a pair are two, in the order of their names"),
        expect.in_set("kind", PICTURES, "every pair is an identical file or a near-duplicate"),
        expect.between("distance", 0, HASH_BITS, f"every distance is from 0 to {HASH_BITS} bits"),
        expect.in_set("distance", [0], "identical files have the same perceptual hash", identical),
        expect.between("correlation", -1, 1, "every correlation is from -1 to 1"),
        expect.in_set("mirrored", [0, 1], "mirrored is 0 or 1"),
    ]


def leaks(quotas: dict[str, Quotas], used: Used, patients: str) -> list[Any]:
    """``patients`` (strict or loose) is the reading by which the patient protocol keeps patients together.

    ``used`` holds the cohorts whose parts must not share what the patient protocol keeps together.
    """
    sides = ["cohort", "protocol", "across", "kind", "a", "b"]
    both_ways = [(a, b) for parts in quotas.values() for a, b in permutations(labels_of(parts), 2)]
    checks = [
        expect.unique(sides, "nothing was searched twice"),
        expect.in_set("across", ["parts", "labels"], "what was searched is parts or labels"),
        expect.in_set("kind", SHARED, f"what was searched for is one of: {'; '.join(SHARED)}"),
        expect.between("groups", 0, None, "no number of groups is below 0"),
        expect.pairs("a", "b", [*PAIRS, *both_ways], "the two sides are two parts in their order, or two labels"),
    ]
    for cohort, protocols in used.items():
        for protocol in protocols:
            checks += _across_parts(cohort, protocol, patients)
        checks += _across_labels(cohort, labels_of(quotas[cohort]))
    return checks


def shortcuts(used: Used) -> list[Any]:
    low, high = 0.5 - AUC_LIMIT, 0.5 + AUC_LIMIT
    alone = f"no feature of the file alone separates the classes (AUC from {low} to {high})"
    checks = [
        expect.unique(["cohort", "protocol", "feature"], "every feature stands once a cohort and protocol"),
        expect.in_set("feature", FEATURES, f"every feature is one of: {'; '.join(FEATURES)}"),
        expect.between("n", 1, None, "every feature was judged on at least one test image"),
        expect.known("auc", "every feature has its AUC"),
        expect.between("auc", 0, 1, "every AUC is from 0 to 1"),
        expect.between("auc", low, high, alone, severity="warning"),
    ]
    for cohort, protocols in used.items():
        for protocol in protocols:
            words = f"{cohort}, {protocol} protocol: all {len(FEATURES)} features were judged"
            where = {"cohort": cohort, "protocol": protocol}
            checks.append(expect.count(len(FEATURES), len(FEATURES), words, where))
    return checks


def part_counts(
    cohort: str, protocol: str, quotas: Quotas, train_shortfall: float, seed: int | None = None
) -> list[Any]:
    """``train_shortfall``: the share of each training quota that may be lacking; ``seed``: of a redrawn split."""
    of_seed = {} if seed is None else {"seed": seed}
    title = f"{cohort}, {protocol} protocol" + ("" if seed is None else f", seed {seed}")
    checks = []
    for part, counts in quotas.items():
        for label, count in counts.items():
            least = count - floor(count * train_shortfall) if part == "train" else count
            number = f"{count:,}" if least == count else f"{least:,} to {count:,}"
            words = f"{title}, {part}: {number} {label} images"
            where = {"cohort": cohort, protocol: part, "label": label, **of_seed}
            checks.append(expect.count(least, count, words, where))
    return checks


def sharing(cohort: str, protocol: str) -> str:
    """How a check of what two parts share begins: one that fails under the papers' protocol need not alarm."""
    return f"{cohort}, {protocol} protocol" + (", which divides images and not patients" if protocol == "paper" else "")


def _across_parts(cohort: str, protocol: str, patients: str) -> list[Any]:
    checks = []
    for kind, what in SHARED.items():
        where = {"cohort": cohort, "protocol": protocol, "across": "parts", "kind": kind}
        title = sharing(cohort, protocol)
        searched = f"{title}: all {len(PAIRS)} pairs of parts were searched for {what}"
        checks.append(expect.count(len(PAIRS), len(PAIRS), searched, where))
        promised = protocol == "patient" and kind in (f"patient, {patients}", *PICTURES)
        words = f"{title}: no two parts share {what}"
        checks.append(expect.in_set("groups", [0], words, where, "critical" if promised else "warning"))
    return checks


def _across_labels(cohort: str, pair: list[str]) -> list[Any]:
    """A patient may well have images of both labels; one picture of two labels is a doubtful label."""
    title = f"{cohort}, {' and '.join(pair)}"
    checks = []
    for kind in PICTURES:
        where = {"cohort": cohort, "across": "labels", "kind": kind}
        checks.append(expect.count(1, 1, f"{title}: searched for {SHARED[kind]}", where))
        words = f"{title}: the two labels share no {SHARED[kind].split(' ', 1)[1]}"
        checks.append(expect.in_set("groups", [0], words, where, "warning"))
    return checks
