import pandas as pd

from cxrbench.evaluation.shortcuts import shortcut_table


def test_a_shortcut_that_turns_round_between_training_and_test_falls_below_a_half():
    part = ["train", "train", "test", "test"]
    assignment = pd.DataFrame(
        {
            "cohort": "c",
            "image_id": list("abcd"),
            "target": [0, 1, 0, 1],
            "paper": part,
            "patient": part,
            "official": "",
        }
    )
    manifest = pd.DataFrame(
        {"cohort": "c", "image_id": list("abcd"), "bytes": [9, 5, 8, 4], "width": [10, 20, 20, 10], "height": 10}
    )
    table = shortcut_table(assignment, manifest)
    assert table.values.tolist() == [["c", name, 2, 1.0, 0.0, 0.0] for name in ("paper", "patient")]
