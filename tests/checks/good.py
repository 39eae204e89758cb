"""Tiny tables that pass every check: cohort 'a' of ten frontal images in use, nine others, one reject, two runs."""

import hashlib
from typing import Any

import pandas as pd

from cxrbench.base.tables import PROTOCOLS, TABLES
from cxrbench.checks import data, redrawn, scores
from cxrbench.checks.parts import FEATURES, PAIRS, SHARED

LABELS = {"a": ("normal", "pneumonia")}
QUOTAS = {
    "a": {
        "train": {"normal": 2, "pneumonia": 3},
        "validation": {"normal": 1, "pneumonia": 1},
        "test": {"normal": 1, "pneumonia": 2},
    },
    "views": {"train": {"lateral": 2, "frontal": 2}, "validation": {"lateral": 1, "frontal": 1}},
}
SHORTFALL = 0.5
TARGETS = {"normal": 0, "pneumonia": 1, "lateral": 0, "frontal": 1}


def check_data(tables: dict[str, pd.DataFrame], docs_dir: Any = None) -> list[Any]:
    return data.check_data(tables, LABELS, QUOTAS, SHORTFALL, "strict", docs_dir)


def data_tables() -> dict[str, pd.DataFrame]:
    used = [image(number, "normal" if number < 4 else "pneumonia", "frontal") for number in range(10)]
    others = [image(number, "", "lateral") for number in range(10, 19)]
    assignment = assigned(QUOTAS["a"], "a") + assigned(QUOTAS["views"], "views", protocols=("paper", "patient"))
    frontal = [{**row, "view_by": "network", "view_score": 0.95} for row in used]
    frontal[0] |= {"view_by": "metadata", "view_score": float("nan")}
    parts = [
        ("a", protocol, "parts", *pair, kind, 0, 0, "") for protocol in PROTOCOLS for kind in SHARED for pair in PAIRS
    ]
    return {
        "manifest": table("manifest", used + others),
        "rejects": table("rejects", [("a", "a/bad.png", "damaged", "truncated")]),
        "frontal": table("frontal", frontal),
        "review": table("review", [("a", "i10", "a/10.png", "", 0.5, "the network abstains")]),
        "assignment": table("assignment", assignment),
        "duplicates": table(
            "duplicates",
            [
                ("a", "i00", "i01", "identical file", 0, 1.0, 0),
                ("a", "i04", "i05", "near-duplicate", 6, 0.98, 1),
            ],
        ),
        "leaks": table("leaks", parts + [("a", "", "labels", *LABELS["a"], kind, 0, 0, "") for kind in SHARED]),
        "redrawn": table("redrawn", [{**row, "seed": 3} for row in assigned(QUOTAS["a"], "a")]),
        "redrawn_leaks": table("redrawn_leaks", [(3, one[0], one[1], *one[3:]) for one in parts]),
        "shortcuts": table("shortcuts", [("a", name, one, 3, 0.6) for name in PROTOCOLS for one in FEATURES]),
    }


def run_inputs() -> tuple[pd.DataFrame, scores.Runs, pd.DataFrame]:
    """The grid, the runs and the assignment: two runs of two protocols, one of them in two studies."""
    assignment = data_tables()["assignment"]
    assignment.loc[assignment["image_id"] == "i00", "patient"] = "test"  # the protocols ask for different images
    grid = table("grid", [("s", "lr=1", 0, "r1"), ("t", "base", 0, "r1"), ("s", "lr=2", 0, "r2")])
    return grid, {"r1": run(assignment, "paper"), "r2": run(assignment, "patient")}, assignment


def run(assignment: pd.DataFrame, protocol: str) -> tuple[dict[str, Any], pd.DataFrame]:
    seen = assignment[(assignment["cohort"] == "a") & assignment[protocol].isin(["validation", "test"])]
    seen = seen.assign(part=seen[protocol], score=[number / 10 for number in range(len(seen))])
    return {"status": "ok", "setting": {"cohort": "a", "protocol": protocol}}, table("scores", seen)


def every_table() -> dict[str, pd.DataFrame]:
    """The tables as their suites see them."""
    tables = data_tables()
    tables["rejects"] = data.marked(tables["rejects"], tables["manifest"])
    tables["redrawn"] = redrawn.labelled(tables["redrawn"], tables["assignment"])
    return {**tables, **scores.tables(*run_inputs())}


def image(number: int, label: str, view: str) -> dict[str, object]:
    return {
        "cohort": "a",
        "image_id": f"i{number:02}",
        "path": f"a/{number:02}.png",
        "sha256": hashlib.sha256(bytes([number])).hexdigest(),
        "phash": hashlib.sha256(bytes([number])).hexdigest(),  # no two near each other
        "width": 64,
        "height": 48,
        "mode": "L",
        "bytes": 100,
        "brightness": 120.5,
        "border": 0.0,
        "label": label,
        "view_position": "",
        "view": view,
        "patient_id": f"p{number:02}",
        "patient_id_loose": f"p{number:02}",
        "study_id": "",
        "source_part": "train",
    }


def assigned(
    quotas: dict[str, dict[str, int]], cohort: str, protocols: tuple[str, ...] = PROTOCOLS
) -> list[dict[str, object]]:
    cells = [(part, label) for part, counts in quotas.items() for label, n in counts.items() for _ in range(n)]
    cells.sort(key=lambda cell: cell[1])  # as the manifest: all images of one label, then the other's
    return [
        {
            **image(number, label, ""),
            "cohort": cohort,
            "source": "a",
            "target": TARGETS[label],
            **dict.fromkeys(PROTOCOLS, ""),
            **dict.fromkeys(protocols, part),
        }
        for number, (part, label) in enumerate(cells)
    ]


def table(name: str, rows: Any) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(TABLES[name])).astype(TABLES[name]).reset_index(drop=True)
