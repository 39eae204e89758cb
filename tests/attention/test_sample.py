"""The network that is asked is the one that did best on validation; the images are drawn, not picked."""

import numpy as np
import pandas as pd

from cxrbench.attention.sample import GROUPS, PER_GROUP, hits_and_misses
from cxrbench.base.tables import TABLES


def scores(n=400, part="test"):
    rng = np.random.default_rng(3)
    target = rng.integers(0, 2, n)
    score = np.clip(rng.normal(0.3 + 0.4 * target, 0.2), 0, 1)
    rows = {"source": "a", "image_id": [f"i{number}" for number in range(n)], "patient_id": "p", "part": part,
            "target": target, "score": score}  # fmt: skip
    return pd.DataFrame(rows)[list(TABLES["scores"])]


def test_the_same_images_are_drawn_whatever_the_order_of_the_table():
    table = scores()
    drawn = hits_and_misses(table)
    assert drawn.equals(hits_and_misses(table.sample(frac=1, random_state=1)))
    assert list(drawn["group"].unique()) == list(GROUPS)
    assert set(drawn["group"].value_counts()) == {PER_GROUP}
    assert not drawn.duplicated("image_id").any()
    first = table[(table["target"] == 1) & (table["score"] >= 0.5)].head(PER_GROUP)
    assert set(first["image_id"]) != set(drawn.loc[drawn["group"] == "true positive", "image_id"])


def test_a_group_is_what_it_is_called():
    drawn = hits_and_misses(scores())
    assert ((drawn["score"] >= 0.5) == drawn["called"]).all()
    assert (drawn["group"].str.endswith("positive") == drawn["called"]).all()
    assert (drawn["group"].str.startswith("true") == (drawn["called"] == drawn["target"])).all()


def test_a_score_at_the_threshold_calls_the_positive_class():
    table = scores(2).assign(target=1, score=[0.5, np.nextafter(0.5, 0)])
    assert hits_and_misses(table)["group"].tolist() == ["true positive", "false negative"]


def test_test_images_come_before_validation_images_and_small_groups_are_taken_whole():
    both = pd.concat([scores(50), scores(60, "validation")])
    assert set(hits_and_misses(both)["part"]) == {"test"}
    assert set(hits_and_misses(scores(60, "validation"))["part"]) == {"validation"}
    sure = scores(6).assign(target=1, score=0.9)
    assert hits_and_misses(sure)["group"].tolist() == ["true positive"] * 6
