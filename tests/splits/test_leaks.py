"""The leak report states every pair of parts, also those that share nothing."""

import pandas as pd

from cxrbench.manifest import PARTS, PROTOCOLS
from cxrbench.splits.leaks import find_leaks


def assignment(*rows):
    """Rows of patient, file and part; the part stands under 'paper', the other protocols use nothing."""
    frame = pd.DataFrame(rows, columns=["cohort", "patient_id", "sha256", "paper"])
    return frame.assign(patient="", official="", image_id=[f"i{n}" for n in range(len(frame))])


def test_shared_patients_and_files_are_counted_with_the_images_they_bring_along():
    leaks = find_leaks(
        assignment(
            ("a", "p1", "f1", "train"),
            ("a", "p1", "f2", "test"),
            ("a", "p1", "f3", "test"),
            ("a", "p2", "f1", "test"),
            ("a", "p3", "f4", "validation"),
            ("a", "p3", "f4", ""),
        )
    ).set_index(["protocol", "kind", "part_a", "part_b"])
    patient = leaks.loc[("paper", "patient", "train", "test")]
    assert (patient["groups"], patient["images"], patient["examples"]) == (1, 2, "p1")
    file = leaks.loc[("paper", "identical file", "train", "test")]
    assert (file["groups"], file["images"], file["examples"]) == (1, 1, "i3")
    assert leaks["groups"].sum() == 2


def test_every_cohort_protocol_kind_and_pair_has_one_row():
    leaks = find_leaks(assignment(("a", "p1", "f1", "train"), ("b", "p1", "f1", "test")))
    assert len(leaks) == 2 * len(PROTOCOLS) * 2 * len(PARTS)
    assert not leaks.duplicated(["cohort", "protocol", "kind", "part_a", "part_b"]).any()
    assert (leaks["groups"] == 0).all()  # one name in two cohorts is no leak


def test_only_a_few_examples_are_named():
    many = [("a", f"p{n}", f"f{n}-{part}", part) for n in range(9) for part in ("train", "test")]
    row = find_leaks(assignment(*many)).query("groups > 0").iloc[0]
    assert (row["groups"], len(row["examples"].split())) == (9, 3)


def test_an_empty_assignment_has_no_leaks():
    assert find_leaks(assignment()).empty
