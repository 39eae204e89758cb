"""What is expected of each table, in words: one suite a table, critical where training would be worthless otherwise.

Everything is a plain argument: ``labels`` says cohort -> (negative, positive), ``quotas`` says cohort -> part ->
label -> images, already scaled, ``files`` says cohort -> files found, usable or not, and ``own_split`` names the
cohorts whose source comes with a split of its own: the official protocol leaves the others empty.
"""

from collections.abc import Collection
from itertools import combinations
from math import floor
from typing import Any

from cxrbench.checks.engine import expectation, load
from cxrbench.manifest import PARTS, PROTOCOLS

SMALLEST_PX = 16
MISSING_LABELS_PERCENT = 50  # of a cohort's images
REJECTED_PERCENT = 5  # of a cohort's files
PAIRS = len(list(combinations(PARTS, 2)))

Labels = dict[str, tuple[str, str]]
Quotas = dict[str, dict[str, dict[str, int]]]
VIEW_LABELS = ("lateral", "frontal")  # of the cohort 'views', which the view network learns from


def suites(
    labels: Labels, quotas: Quotas, files: dict[str, int], own_split: Collection[str], official_shortfall: float
) -> dict[str, Any]:
    """Table name -> great_expectations.ExpectationSuite."""
    expected = {
        "manifest": manifest(labels),
        "rejects": rejects(labels, files),
        "frontal": frontal(labels, quotas),
        "review": review(),
        "assignment": assignment(labels, quotas, own_split, official_shortfall),
        "leaks": leaks([cohort for cohort in labels if cohort in quotas]),
    }
    gx = load()
    return {table: gx.ExpectationSuite(name=table, expectations=checks) for table, checks in expected.items()}


def manifest(labels: Labels) -> list[Any]:
    checks = [
        _unique_images(),
        _in_set("cohort", list(labels), "every image belongs to a cohort of params.yaml"),
        _matches("sha256", r"^[0-9a-f]{64}\Z", "every sha256 is 64 hexadecimal digits"),
        _in_set("source_part", [*PARTS, ""], "source_part is train, validation, test or empty"),
    ]
    for column in ("width", "height"):
        checks.append(_between(column, SMALLEST_PX, None, f"the {column} is at least {SMALLEST_PX} pixels"))
    for cohort, pair in labels.items():
        where = {"cohort": cohort}
        known = f"{cohort}: every label is {' or '.join(pair)}, or empty"
        checks.append(_in_set("label", [*pair, ""], known, where, "warning"))  # no run uses an image of another label
        missing = f"{cohort}: at most {MISSING_LABELS_PERCENT} % of the labels are empty"
        checks.append(_matches("label", ".", missing, where, "warning", mostly=1 - MISSING_LABELS_PERCENT / 100))
        for label in pair:
            words = f"{cohort}: there is at least one {label} image"
            checks.append(_count(1, None, words, {"cohort": cohort, "label": label}))
    return checks


def rejects(labels: Labels, files: dict[str, int]) -> list[Any]:
    checks = [_matches("reason", ".", "every rejected file has a reason")]
    for cohort in labels:
        words = f"{cohort}: at most {REJECTED_PERCENT} % of the files were rejected"
        limit = files.get(cohort, 0) * REJECTED_PERCENT // 100
        checks.append(_count(0, limit, words, {"cohort": cohort}, "warning"))
    return checks


def frontal(labels: Labels, quotas: Quotas) -> list[Any]:
    by_network = {"view_by": "network"}
    checks = [
        _unique_images(),
        _in_set("view", ["frontal"], "every image is frontal"),
        _in_set("view_by", ["metadata", "network"], "the view is known from metadata or the network"),
        _between("view_score", 0, 1, "every view_score is from 0 to 1"),
        expectation(
            "ExpectColumnValuesToNotBeNull",
            "every view that the network found has its view_score",
            "critical",
            by_network,
            column="view_score",
        ),
    ]
    for cohort, pair in labels.items():
        for label in pair if cohort in quotas else ():
            wanted = sum(counts[label] for counts in quotas[cohort].values())
            words = f"{cohort}: at least {wanted:,} frontal {label} images, as the quotas want"
            checks.append(_count(wanted, None, words, {"cohort": cohort, "label": label}))
    return checks


def review() -> list[Any]:
    return [
        _between("view_score", 0, 1, "every view_score is from 0 to 1"),
        _matches("reason", ".", "every image to look at has a reason"),
    ]


def assignment(labels: Labels, quotas: Quotas, own_split: Collection[str], official_shortfall: float) -> list[Any]:
    pairs = {**labels, "views": VIEW_LABELS}
    checks = [_unique_images(), _in_set("target", [0, 1], "every target is 0 or 1")]
    checks.append(_in_set("cohort", list(quotas), "every image belongs to a cohort that has quotas"))
    for protocol in PROTOCOLS:
        checks.append(_in_set(protocol, [*PARTS, ""], f"{protocol}: every part is train, validation, test or empty"))
    for cohort in quotas:
        pair = pairs[cohort]
        checks.append(_in_set("label", list(pair), f"{cohort}: every label is {' or '.join(pair)}", {"cohort": cohort}))
        for target, label in enumerate(pair):
            where = {"cohort": cohort, "label": label}
            checks.append(_in_set("target", [target], f"{cohort}: {label} has target {target}", where))
        for protocol in PROTOCOLS:
            exact = cohort == "views" or protocol != "official"
            if exact or cohort in own_split:
                checks += _quotas(cohort, protocol, quotas[cohort], 0.0 if exact else official_shortfall)
            else:
                words = f"{cohort}, official protocol: unused, for its source has no split of its own"
                checks.append(_in_set(protocol, [""], words, {"cohort": cohort}))
    return checks


def leaks(cohorts: list[str]) -> list[Any]:
    checks = []
    for cohort in cohorts:
        for protocol, severity in (("patient", "critical"), ("official", "warning")):
            where = {"cohort": cohort, "protocol": protocol, "kind": "patient"}
            searched = f"{cohort}, {protocol} protocol: all {PAIRS} pairs of parts were searched for patients"
            checks.append(_count(PAIRS, PAIRS, searched, where))
            words = f"{cohort}, {protocol} protocol: no patient stands in two parts"
            checks.append(_in_set("groups", [0], words, where, severity))
        for protocol in PROTOCOLS:
            words = f"{cohort}, {protocol} protocol: no identical file stands in two parts"
            where = {"cohort": cohort, "protocol": protocol, "kind": "identical file"}
            checks.append(_in_set("groups", [0], words, where, "warning"))
    return checks


def _quotas(cohort: str, protocol: str, quotas: dict[str, dict[str, int]], train_shortfall: float) -> list[Any]:
    """``train_shortfall``: the share of each training quota that may be lacking."""
    checks = []
    for part, counts in quotas.items():
        for label, count in counts.items():
            least = count - floor(count * train_shortfall) if part == "train" else count
            number = f"{count:,}" if least == count else f"{least:,} to {count:,}"
            words = f"{cohort}, {protocol} protocol, {part}: {number} {label} images"
            checks.append(_count(least, count, words, {"cohort": cohort, protocol: part, "label": label}))
    return checks


def _unique_images() -> Any:
    words = "no image stands twice in a cohort"
    columns = ["cohort", "image_id"]
    return expectation("ExpectCompoundColumnsToBeUnique", words, "critical", None, column_list=columns)


def _in_set(
    column: str, values: list[Any], words: str, where: dict[str, str] | None = None, severity: str = "critical"
) -> Any:
    kind = "ExpectColumnValuesToBeInSet"
    return expectation(kind, words, severity, where, column=column, value_set=values)


def _matches(
    column: str,
    pattern: str,
    words: str,
    where: dict[str, str] | None = None,
    severity: str = "critical",
    mostly: float = 1.0,
) -> Any:
    kind = "ExpectColumnValuesToMatchRegex"
    return expectation(kind, words, severity, where, column=column, regex=pattern, mostly=mostly)


def _between(column: str, low: float | None, high: float | None, words: str) -> Any:
    kind = "ExpectColumnValuesToBeBetween"
    return expectation(kind, words, "critical", None, column=column, min_value=low, max_value=high)


def _count(low: int, high: int | None, words: str, where: dict[str, str], severity: str = "critical") -> Any:
    return expectation("ExpectTableRowCountToBeBetween", words, severity, where, min_value=low, max_value=high)
