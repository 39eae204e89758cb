"""Six tiny tables that pass every check: cohort 'a' of ten frontal images in use, nine others, and one reject."""

import hashlib
from collections.abc import Callable

import pandas as pd
import pytest

from cxrbench.manifest import PROTOCOLS, TABLES

LABELS = {"a": ("normal", "pneumonia")}
QUOTAS = {
    "a": {
        "train": {"normal": 2, "pneumonia": 3},
        "validation": {"normal": 1, "pneumonia": 1},
        "test": {"normal": 1, "pneumonia": 2},
    },
    "views": {"train": {"frontal": 2, "lateral": 2}, "validation": {"frontal": 1, "lateral": 1}},
}
TARGETS = {"normal": 0, "pneumonia": 1, "lateral": 0, "frontal": 1}


def image(number: int, label: str, view: str) -> dict[str, object]:
    return {
        "cohort": "a",
        "image_id": f"i{number:02}",
        "path": f"a/{number:02}.png",
        "sha256": hashlib.sha256(bytes([number])).hexdigest(),
        "width": 64,
        "height": 48,
        "mode": "L",
        "bytes": 100,
        "label": label,
        "view_position": "",
        "view": view,
        "patient_id": f"p{number:02}",
        "study_id": "",
        "source_part": "train",
    }


def assigned(quotas: dict[str, dict[str, int]], cohort: str) -> list[dict[str, object]]:
    cells = [(part, label) for part, counts in quotas.items() for label, n in counts.items() for _ in range(n)]
    cells.sort(key=lambda cell: cell[1])  # as the manifest: all images of one label, then the other's
    return [
        {
            **image(number, label, ""),
            "cohort": cohort,
            "target": TARGETS[label],
            **dict.fromkeys(PROTOCOLS, part),
        }
        for number, (part, label) in enumerate(cells)
    ]


@pytest.fixture(scope="session")
def labels() -> dict[str, tuple[str, str]]:
    return LABELS


@pytest.fixture(scope="session")
def quotas() -> dict[str, dict[str, dict[str, int]]]:
    return QUOTAS


@pytest.fixture(scope="session")
def new_tables() -> Callable[[], dict[str, pd.DataFrame]]:
    return good_tables


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    return good_tables()


def good_tables() -> dict[str, pd.DataFrame]:
    used = [image(number, "normal" if number < 4 else "pneumonia", "frontal") for number in range(10)]
    others = [image(number, "", "lateral") for number in range(10, 19)]
    assignment = assigned(QUOTAS["a"], "a") + assigned(QUOTAS["views"], "views")
    leaks = [
        ("a", protocol, kind, part_a, part_b, 0, 0, "")
        for protocol in PROTOCOLS
        for kind in ("patient", "identical file")
        for part_a, part_b in (("train", "validation"), ("train", "test"), ("validation", "test"))
    ]
    frontal = [{**row, "view_by": "network", "view_score": 0.95} for row in used]
    frontal[0] |= {"view_by": "metadata", "view_score": float("nan")}
    review = [("a", "i10", "a/10.png", "", 0.5, "the network abstains")]
    return {
        "manifest": table("manifest", used + others),
        "rejects": table("rejects", [("a", "a/bad.png", "damaged", "truncated")]),
        "frontal": table("frontal", frontal),
        "review": table("review", review),
        "assignment": table("assignment", assignment),
        "leaks": table("leaks", leaks),
    }


def table(name: str, rows: list) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(TABLES[name])).astype(TABLES[name])
