"""The leak report states every pair of parts and labels, also those that share nothing."""

import pandas as pd

from cxrbench.base.tables import PARTS, PROTOCOLS
from cxrbench.splits.leaks import find_leaks, with_keys

# cohort, strict, loose, file, picture, label, part under 'paper'; the other protocols use nothing
COLUMNS = ["cohort", "strict", "loose", "sha256", "picture", "label", "paper"]


def assigned(*rows):
    frame = pd.DataFrame(rows, columns=COLUMNS)
    target = frame["label"].map({"normal": 0, "pneumonia": 1})
    return frame.assign(patient="", official="", image_id=[f"i{n}" for n in range(len(frame))], target=target)


def shared(leaks, protocol, a, b):
    """kind -> (groups, images, examples)"""
    rows = leaks[(leaks["protocol"] == protocol) & (leaks["a"] == a) & (leaks["b"] == b)]
    return {row.kind: (row.groups, row.images, row.examples) for row in rows.itertuples()}


def test_patients_are_counted_under_both_readings_with_the_images_they_bring_along():
    leaks = find_leaks(
        assigned(
            ("a", "person1", "person1_virus", "f1", "x1", "pneumonia", "train"),
            ("a", "person1", "person1_virus", "f2", "x2", "pneumonia", "test"),
            ("a", "person1", "person1_bacteria", "f3", "x3", "pneumonia", "test"),
            ("a", "person2", "person2_virus", "f4", "x4", "pneumonia", "train"),
            ("a", "person2", "person2_bacteria", "f5", "x5", "pneumonia", "test"),
            ("a", "person3", "person3", "f6", "x6", "normal", "validation"),
            ("a", "person3", "person3", "f7", "x7", "normal", ""),
        )
    )
    found = shared(leaks, "paper", "train", "test")
    assert found["patient, strict"] == (2, 3, "person1 person2")
    assert found["patient, loose"] == (1, 1, "person1_virus")
    assert found["identical file"] == found["near-duplicate"] == (0, 0, "")
    assert leaks["groups"].sum() == 3


def test_a_near_duplicate_is_another_file_of_a_picture_and_an_identical_file_is_not_counted_again():
    leaks = find_leaks(
        assigned(
            ("a", "p1", "p1", "f1", "x1", "normal", "train"),
            ("a", "p2", "p2", "f1", "x1", "normal", "test"),
            ("a", "p3", "p3", "f2", "x1", "pneumonia", "test"),
            ("a", "p4", "p4", "f3", "x3", "normal", "validation"),
            ("a", "p5", "p5", "f4", "x3", "pneumonia", "test"),
        )
    )
    assert shared(leaks, "paper", "train", "test") == {
        "patient, strict": (0, 0, ""),
        "patient, loose": (0, 0, ""),
        "identical file": (1, 1, "i1"),
        "near-duplicate": (1, 1, "i2"),
    }
    assert shared(leaks, "paper", "validation", "test")["near-duplicate"] == (1, 1, "i4")
    across = leaks[leaks["across"] == "labels"]
    assert across[["protocol", "a", "b", "kind", "groups", "images", "examples"]].values.tolist() == [
        ["", "normal", "pneumonia", "identical file", 0, 0, ""],
        ["", "normal", "pneumonia", "near-duplicate", 2, 2, "i2 i4"],
    ]


def test_one_file_with_two_labels_is_told():
    leaks = find_leaks(assigned(("a", "p", "p", "f", "x", "normal", ""), ("a", "p", "p", "f", "x", "pneumonia", "")))
    assert shared(leaks, "", "normal", "pneumonia")["identical file"] == (1, 1, "i1")


def test_every_cohort_protocol_kind_and_pair_has_one_row():
    leaks = find_leaks(
        assigned(
            ("a", "p1", "p1", "f1", "x1", "normal", "train"),
            ("a", "p9", "p9", "f9", "x9", "pneumonia", "train"),
            ("b", "p1", "p1", "f1", "x1", "normal", "test"),
            ("b", "p9", "p9", "f8", "x8", "pneumonia", "test"),
        )
    )
    assert len(leaks) == 2 * (len(PROTOCOLS) * 4 * len(PARTS) + 2)
    assert not leaks.duplicated(["cohort", "protocol", "across", "kind", "a", "b"]).any()
    assert set(zip(leaks["protocol"] != "", leaks["across"])) == {(True, "parts"), (False, "labels")}
    assert (leaks["groups"] == 0).all()  # one name in two cohorts is no leak


def test_only_a_few_examples_are_named():
    many = [
        ("a", f"p{n}", f"p{n}", f"f{n}-{part}", f"x{n}-{part}", "normal", part)
        for n in range(9)
        for part in ("train", "test")
    ]
    row = find_leaks(assigned(*many)).query("groups > 0").iloc[0]
    assert (row["groups"], len(row["examples"].split())) == (9, 3)


def test_an_empty_assignment_has_no_leaks():
    assert find_leaks(assigned()).empty


def test_the_keys_come_from_the_manifest_and_those_of_a_borrowed_image_bear_its_sources_name():
    manifest = pd.DataFrame(
        [["kids", "i1", "p", "p_virus"], ["kids", "i2", "p", "p_bacteria"], ["men", "i1", "p", "p"]],
        columns=["cohort", "image_id", "patient_id", "patient_id_loose"],
    )
    duplicates = pd.DataFrame([["kids", "i1", "i2"]], columns=["cohort", "image_a", "image_b"])
    rows = [["kids", "kids", "i2"], ["views", "kids", "i2"], ["views", "men", "i1"]]
    keyed = with_keys(pd.DataFrame(rows, columns=["cohort", "source", "image_id"]), manifest, duplicates)
    assert keyed[["image_id", "strict", "loose", "picture"]].values.tolist() == [
        ["i2", "p", "p_bacteria", "i1"],
        ["i2", "kids/p", "kids/p_bacteria", "kids/i1"],
        ["i1", "men/p", "men/p", "men/i1"],
    ]
