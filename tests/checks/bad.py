"""For each check a change to a good table that must fail it: (table, the check's words) -> change."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from cxrbench.base.tables import PROTOCOLS
from cxrbench.checks.parts import FEATURES, PICTURES, SHARED

Break = Callable[[pd.DataFrame], pd.DataFrame]
NO_SPLIT = "a, official protocol: unused, for its source has no split of its own"
NAN = float("nan")


def put(column: str, value: object, **where: str) -> Break:
    """Puts one value into the first row that has the values ``where``."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[frame.index[fits(frame, where)][0], column] = value
        return frame

    return change


def fill(column: str, value: object) -> Break:
    return lambda frame: frame.assign(**{column: value})


def drop(**where: str) -> Break:
    """Takes the first row away that has these values."""
    return lambda frame: frame.drop(index=frame.index[fits(frame, where)][0]).reset_index(drop=True)


def drop_all(**where: str) -> Break:
    return lambda frame: frame[~fits(frame, where)].reset_index(drop=True)


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(1)], ignore_index=True)


def fits(frame: pd.DataFrame, where: dict[str, str]) -> np.ndarray:
    found = np.ones(len(frame), dtype=bool)
    for column, value in where.items():
        found &= (frame[column] == value).to_numpy()
    return found


UNKNOWN = "every image belongs to a cohort of params.yaml"
TWICE = "no image stands twice in a cohort"
BREAKS: dict[tuple[str, str], Break] = {
    ("manifest", TWICE): twice,
    ("manifest", "no file stands twice in a cohort"): put("path", "a/01.png"),
    ("manifest", UNKNOWN): put("cohort", "b"),
    ("manifest", "every sha256 is 64 hexadecimal digits"): put("sha256", "0" * 63 + "g"),
    ("manifest", "every perceptual hash is 64 hexadecimal digits"): put("phash", "0" * 63),
    ("manifest", "source_part is train, validation, test or empty"): put("source_part", "val"),
    ("manifest", "every view is frontal, lateral or empty"): put("view", "PA"),
    ("manifest", "every file holds at least one byte"): put("bytes", 0),
    ("manifest", "every image has a name"): put("image_id", ""),
    ("manifest", "every image has a path"): put("path", ""),
    ("manifest", "every image has a mode"): put("mode", ""),
    ("manifest", "every image has a patient (strict reading)"): put("patient_id", " "),
    ("manifest", "every image has a patient (loose reading)"): put("patient_id_loose", ""),
    ("manifest", "the width is at least 16 pixels"): put("width", 15),
    ("manifest", "the height is at least 16 pixels"): put("height", 15),
    ("manifest", "every image has its brightness"): put("brightness", NAN),
    ("manifest", "every brightness is from 0 to 255"): put("brightness", 255.5),
    ("manifest", "every image has its border"): put("border", NAN),
    ("manifest", "every border is from 0 to 1"): put("border", -0.1),
    ("manifest", "a: every label is normal or pneumonia, or empty"): put("label", "Normal"),
    ("manifest", "a: at most 50 % of the labels are empty"): put("label", ""),
    ("manifest", "a: there is at least one normal image"): drop_all(label="normal"),
    ("manifest", "a: there is at least one pneumonia image"): drop_all(label="pneumonia"),
    ("rejects", "every rejected file belongs to a cohort of params.yaml"): put("cohort", "b"),
    ("rejects", "every rejected file has a path"): put("path", ""),
    ("rejects", "every rejected file has a reason"): put("reason", ""),
    ("rejects", "no file is rejected twice"): twice,
    ("rejects", "no rejected file is also an image"): put("also_image", "yes"),
    ("rejects", "a: at most 5 % of the files were rejected"): twice,
    ("frontal", TWICE): twice,
    ("frontal", UNKNOWN): put("cohort", "b"),
    ("frontal", "every image is frontal"): put("view", "lateral"),
    ("frontal", "the view is known from metadata or the network"): put("view_by", ""),
    ("frontal", "every view_score is from 0 to 1"): put("view_score", 1.01),
    ("frontal", "every view that the network found has its view_score"): put("view_score", NAN, view_by="network"),
    ("frontal", "a: at least 4 frontal normal images, as the quotas want"): drop(label="normal"),
    ("frontal", "a: at least 6 frontal pneumonia images, as the quotas want"): drop(label="pneumonia"),
    ("review", TWICE): twice,
    ("review", "every image to look at belongs to a cohort of params.yaml"): put("cohort", "b"),
    ("review", "every view_score is from 0 to 1"): put("view_score", -0.01),
    ("review", "every image to look at has a reason"): put("reason", ""),
    ("assignment", TWICE): twice,
    ("assignment", "every target is 0 or 1"): put("target", 2),
    ("assignment", "every image belongs to a cohort that has quotas"): put("cohort", "b"),
    ("assignment", "every sha256 is 64 hexadecimal digits"): put("sha256", ""),
    ("assignment", "every image has a patient"): put("patient_id", ""),
    ("assignment", "a: every label is normal or pneumonia"): put("label", ""),
    ("assignment", "a: normal has target 0"): put("target", 1, cohort="a", label="normal"),
    ("assignment", "a: pneumonia has target 1"): put("target", 0, cohort="a", label="pneumonia"),
    ("assignment", "views: every label is lateral or frontal"): put("label", "normal", cohort="views"),
    ("assignment", "views: lateral has target 0"): put("target", 1, label="lateral"),
    ("assignment", "views: frontal has target 1"): put("target", 0, label="frontal"),
    ("assignment", "a, official protocol, train: 1 to 2 normal images"): fill("official", ""),
    ("assignment", "a, official protocol, train: 2 to 3 pneumonia images"): fill("official", ""),
    ("assignment", NO_SPLIT): fill("official", "train"),
    ("assignment", NO_SPLIT.replace("a, ", "views, ", 1)): put("official", "train", cohort="views"),
    ("duplicates", "no pair of images stands twice"): twice,
    ("duplicates", "every pair belongs to a cohort of params.yaml"): put("cohort", "b"),
    ("duplicates", "the images of a pair are two, in the order of their names"): put("image_b", "i00"),
    ("duplicates", "every pair is an identical file or a near-duplicate"): put("kind", "similar"),
    ("duplicates", "every distance is from 0 to 256 bits"): put("distance", 257),
    ("duplicates", "identical files have the same perceptual hash"): put("distance", 1, kind="identical file"),
    ("duplicates", "every correlation is from -1 to 1"): put("correlation", 1.1),
    ("duplicates", "mirrored is 0 or 1"): put("mirrored", 2),
    ("leaks", "nothing was searched twice"): twice,
    ("leaks", "what was searched is parts or labels"): put("across", "images"),
    ("leaks", f"what was searched for is one of: {'; '.join(SHARED)}"): put("kind", "patient"),
    ("leaks", "no number of groups is below 0"): put("groups", -1),
    ("leaks", "the two sides are two parts in their order, or two labels"): put("b", "train"),
    ("redrawn", "no split holds an image twice"): twice,
    ("redrawn", "every image belongs to a cohort that has quotas"): put("cohort", "views"),
    ("redrawn", "every image is one of the assignment"): put("label", ""),
    ("redrawn", "a, official protocol, seed 3, train: 1 to 2 normal images"): fill("official", ""),
    ("redrawn", "a, official protocol, seed 3, train: 2 to 3 pneumonia images"): fill("official", ""),
    ("redrawn_leaks", "nothing was searched twice"): twice,
    ("redrawn_leaks", f"what was searched for is one of: {'; '.join(SHARED)}"): put("kind", "patient"),
    ("redrawn_leaks", "no number of groups is below 0"): put("groups", -1),
    ("redrawn_leaks", "the two sides are two parts in their order"): put("b", "train"),
    ("shortcuts", "every feature stands once a cohort and protocol"): twice,
    ("shortcuts", f"every feature is one of: {'; '.join(FEATURES)}"): put("feature", "size"),
    ("shortcuts", "every feature was judged on at least one test image"): put("n", 0),
    ("shortcuts", "every feature has its AUC"): put("auc", NAN),
    ("shortcuts", "every AUC is from 0 to 1"): put("auc", 1.1),
    ("shortcuts", "no feature of the file alone separates the classes (AUC from 0.25 to 0.75)"): put("auc", 0.24),
    ("scores", "no run scores an image twice"): twice,
    ("scores", "every run scores every image of its validation and test"): put("found", "missing"),
    ("scores", "no run scores an image outside its validation and test"): put("found", "unasked"),
    ("scores", "every part is validation or test"): put("part", "train"),
    ("scores", "every part is the one that the run's protocol gives"): put("part", "test", part="validation"),
    ("scores", "every target is 0 or 1"): put("target", 2),
    ("scores", "every target is the assignment's"): put("target", 1, target=0),
    ("scores", "every scored image has a patient"): put("patient_id", ""),
    ("scores", "every patient is the assignment's"): put("patient_id", "p99"),
    ("scores", "every image of a run that did not diverge has a score"): put("score", NAN),
    ("scores", "every score of a run that did not diverge is from 0 to 1"): put("score", 1.0001),
    ("runs", "every run is ok or diverged"): put("status", "OK"),
    ("runs", "no run diverged"): put("status", "diverged"),
    ("runs", "no run gives all images one score"): put("distinct_scores", 1),
}
COUNTS = [
    *product(["a"], PROTOCOLS, ["test"], [("normal", 1), ("pneumonia", 2)]),
    *product(["a"], PROTOCOLS, ["validation"], [("normal", 1), ("pneumonia", 1)]),
    *product(["a"], ["paper", "patient"], ["train"], [("normal", 2), ("pneumonia", 3)]),
    *product(["views"], ["paper", "patient"], ["train"], [("frontal", 2), ("lateral", 2)]),
    *product(["views"], ["paper", "patient"], ["validation"], [("frontal", 1), ("lateral", 1)]),
]
for _cohort, _protocol, _part, (_label, _n) in COUNTS:
    BREAKS["assignment", f"{_cohort}, {_protocol} protocol, {_part}: {_n} {_label} images"] = drop(
        cohort=_cohort, label=_label, **{_protocol: _part}
    )
    if _cohort == "a":
        BREAKS["redrawn", f"a, {_protocol} protocol, seed 3, {_part}: {_n} {_label} images"] = drop(
            label=_label, **{_protocol: _part}
        )
for _protocol in PROTOCOLS:
    _words = f"{_protocol}: every part is train, validation, test or empty"
    BREAKS["assignment", _words] = BREAKS["redrawn", _words] = put(_protocol, "val")
    BREAKS["shortcuts", f"a, {_protocol} protocol: all 6 features were judged"] = drop(protocol=_protocol)
    for _kind, _what in SHARED.items():
        _where = {"across": "parts", "protocol": _protocol, "kind": _kind}
        _title = f"a, {_protocol} protocol" + ", which divides images and not patients" * (_protocol == "paper")
        BREAKS["leaks", f"{_title}: all 3 pairs of parts were searched for {_what}"] = drop(**_where)
        BREAKS["leaks", f"{_title}: no two parts share {_what}"] = put("groups", 1, **_where, b="test")
        _where = {"protocol": _protocol, "kind": _kind}
        _title += ", redrawn splits"
        BREAKS["redrawn_leaks", f"{_title}: all pairs of parts were searched for {_what}"] = drop(**_where)
        BREAKS["redrawn_leaks", f"{_title}: no two parts share {_what}"] = put("groups", 1, **_where, b="test")
for _kind in PICTURES:
    _where = {"across": "labels", "kind": _kind}
    _title = "a, normal and pneumonia"
    BREAKS["leaks", f"{_title}: searched for {SHARED[_kind]}"] = drop(**_where)
    BREAKS["leaks", f"{_title}: the two labels share no {_kind}"] = put("groups", 1, **_where)

WARNINGS = {
    ("manifest", "a: every label is normal or pneumonia, or empty"),
    ("manifest", "a: at most 50 % of the labels are empty"),
    ("rejects", "a: at most 5 % of the files were rejected"),
    *(key for key in BREAKS if "no two parts share" in key[1] and "patient protocol" not in key[1]),
    ("leaks", "a, patient protocol: no two parts share a patient (loose reading)"),
    ("redrawn_leaks", "a, patient protocol, redrawn splits: no two parts share a patient (loose reading)"),
    *(key for key in BREAKS if "the two labels share no" in key[1]),
    ("shortcuts", "no feature of the file alone separates the classes (AUC from 0.25 to 0.75)"),
    ("runs", "no run diverged"),
    ("runs", "no run gives all images one score"),
}
