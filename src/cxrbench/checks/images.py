"""What is expected of the tables of images: manifest, rejects, frontal and review.

``labels`` says cohort -> (negative, positive), ``quotas`` says cohort -> part -> label -> images, already scaled.
"""

from typing import Any

from cxrbench.base.tables import PARTS
from cxrbench.checks import expect
from cxrbench.config.quotas import Quotas

SMALLEST_PX = 16
MISSING_LABELS_PERCENT = 50  # of a cohort's images
REJECTED_PERCENT = 5  # of a cohort's files

Labels = dict[str, tuple[str, str]]


def manifest(labels: Labels) -> list[Any]:
    checks = [
        unique_images(),
        expect.unique(["cohort", "path"], "no file stands twice in a cohort"),
        expect.in_set("cohort", list(labels), "every image belongs to a cohort of params.yaml"),
        expect.matches("sha256", r"^[0-9a-f]{64}\Z", "every sha256 is 64 hexadecimal digits"),
        expect.matches("phash", r"^[0-9a-f]{64}\Z", "every perceptual hash is 64 hexadecimal digits"),
        expect.in_set("source_part", [*PARTS, ""], "source_part is train, validation, test or empty"),
        expect.in_set("view", ["frontal", "lateral", ""], "every view is frontal, lateral or empty"),
        expect.between("bytes", 1, None, "every file holds at least one byte"),
    ]
    named = {"image_id": "a name", "path": "a path", "mode": "a mode", "patient_id": "a patient (strict reading)"}
    for column, what in {**named, "patient_id_loose": "a patient (loose reading)"}.items():
        checks.append(expect.filled(column, f"every image has {what}"))
    for column in ("width", "height"):
        checks.append(expect.between(column, SMALLEST_PX, None, f"the {column} is at least {SMALLEST_PX} pixels"))
    for column, most in (("brightness", 255), ("border", 1)):
        checks.append(expect.known(column, f"every image has its {column}"))
        checks.append(expect.between(column, 0, most, f"every {column} is from 0 to {most}"))
    for cohort, pair in labels.items():
        checks += _labelled(cohort, pair)
    return checks


def rejects(labels: Labels, files: dict[str, int]) -> list[Any]:
    """``files``: cohort -> files found, usable or not. The table has one more column: also_image, yes or no."""
    checks = [
        expect.in_set("cohort", list(labels), "every rejected file belongs to a cohort of params.yaml"),
        expect.filled("path", "every rejected file has a path"),
        expect.filled("reason", "every rejected file has a reason"),
        expect.unique(["cohort", "path"], "no file is rejected twice"),
        expect.in_set("also_image", ["no"], "no rejected file is also an image"),
    ]
    for cohort in labels:
        words = f"{cohort}: at most {REJECTED_PERCENT} % of the files were rejected"
        limit = files.get(cohort, 0) * REJECTED_PERCENT // 100
        checks.append(expect.count(0, limit, words, {"cohort": cohort}, "warning"))
    return checks


def frontal(labels: Labels, quotas: dict[str, Quotas]) -> list[Any]:
    checks = [
        unique_images(),
        expect.in_set("cohort", list(labels), "every image belongs to a cohort of params.yaml"),
        expect.in_set("view", ["frontal"], "every image is frontal"),
        expect.in_set("view_by", ["metadata", "network"], "the view is known from metadata or the network"),
        expect.between("view_score", 0, 1, "every view_score is from 0 to 1"),
        expect.known("view_score", "every view that the network found has its view_score", {"view_by": "network"}),
    ]
    for cohort, pair in labels.items():
        for label in pair if cohort in quotas else ():
            wanted = sum(counts[label] for counts in quotas[cohort].values())
            words = f"{cohort}: at least {wanted:,} frontal {label} images, as the quotas want"
            checks.append(expect.count(wanted, None, words, {"cohort": cohort, "label": label}))
    return checks


def review(labels: Labels) -> list[Any]:
    return [
        unique_images(),
        expect.in_set("cohort", list(labels), "every image to look at belongs to a cohort of params.yaml"),
        expect.between("view_score", 0, 1, "every view_score is from 0 to 1"),
        expect.filled("reason", "every image to look at has a reason"),
    ]


def unique_images(*keys: str) -> Any:
    """``keys``: the columns that, with the cohort, name an image."""
    return expect.unique(["cohort", *(keys or ("image_id",))], "no image stands twice in a cohort")


def _labelled(cohort: str, pair: tuple[str, str]) -> list[Any]:
    where = {"cohort": cohort}
    known = f"{cohort}: every label is {' or '.join(pair)}, or empty"
    missing = f"{cohort}: at most {MISSING_LABELS_PERCENT} % of the labels are empty"
    mostly = 1 - MISSING_LABELS_PERCENT / 100
    checks = [
        expect.in_set("label", [*pair, ""], known, where, "warning"),  # no run uses an image of another label
        expect.matches("label", ".", missing, where, "warning", mostly=mostly),
    ]
    for label in pair:
        words = f"{cohort}: there is at least one {label} image"
        checks.append(expect.count(1, None, words, {"cohort": cohort, "label": label}))
    return checks
