import numpy as np
import pandas as pd
import pytest

from cxrbench.reporting import mistakes


def scores(values, part="test", target=None):
    n = len(values)
    target = [1, 0] * (n // 2) if target is None else target
    ids = [f"i{k}" for k in range(n)]
    return pd.DataFrame(
        {"source": "a", "image_id": ids, "patient_id": ids, "part": part, "target": target, "score": values}
    )


IMAGES = pd.DataFrame(
    {
        "source": "a",
        "image_id": [f"i{k}" for k in range(4)],
        "path": [f"p{k}" for k in range(4)],
        "target": [1, 0, 1, 0],
        "label": ["covid", "normal"] * 2,
    }
)


def test_the_surest_wrong_call_comes_first_and_a_right_call_never():
    runs = [scores([0.1, 0.9, 0.9, 0.6]), scores([0.3, 0.99, 0.9, 0.6])]
    found = mistakes.worst(runs)
    assert found["image_id"].tolist() == ["i1", "i0", "i3"]
    assert found["score"].tolist() == pytest.approx([0.945, 0.2, 0.6])


def test_a_threshold_score_calls_one_and_equal_errors_are_ordered_by_name():
    found = mistakes.worst([scores([0.5, 0.5, 0.5, 0.5])])
    assert found["image_id"].tolist() == ["i1", "i3"]


def test_no_more_than_asked_for_are_shown():
    assert len(mistakes.worst([scores([0.0, 1.0] * 20)])) == mistakes.MOST == 12


def test_a_diverged_run_takes_no_part_and_if_all_diverged_there_is_nothing():
    diverged = scores([np.nan, 0.0, 0.0, 0.0])
    assert mistakes.worst([diverged, scores([0.9, 0.9, 0.9, 0.1])])["image_id"].tolist() == ["i1"]
    assert mistakes.draw("t", [diverged], IMAGES, pytest.fail) is None


def test_validation_is_looked_at_only_where_there_is_no_test():
    both = pd.concat([scores([0.0, 1.0], "validation"), scores([0.9, 0.1], "test")])
    assert mistakes.worst([both]).empty
    assert len(mistakes.worst([scores([0.0, 1.0], "validation")])) == 2


def test_the_sheet_shows_each_image_in_its_place_and_words_where_there_is_none():
    shown = []

    def thumbnail(path):
        shown.append(path)
        return "truncated" if path == "p1" else np.full((mistakes.TILE_PX,) * 2, 200, dtype="uint8")

    sheet = mistakes.draw("title", [scores([0.2, 0.9, 0.9, 0.1])], IMAGES, thumbnail)
    assert shown == ["p1", "p0"]
    grey = np.asarray(sheet)
    top = mistakes.LINE_PX * 2
    first, second = (grey[top : top + mistakes.TILE_PX, x : x + mistakes.TILE_PX] for x in (8, 16 + mistakes.TILE_PX))
    assert (second == 200).all()
    assert np.median(first) == mistakes.GREY
    assert not (first == 200).any()


@pytest.mark.parametrize("count", [1, 2, 6, 7, 12])
def test_a_sheet_of_any_number_holds_long_names_and_odd_letters(count):
    black = np.zeros((mistakes.TILE_PX,) * 2, dtype="uint8")
    sheet = mistakes.sheet("표 <b>", [black] * count, [("정상 " * 40, "x" * 300)] * count)
    assert sheet.height == 2 * mistakes.LINE_PX + 204 * -(-count // 6) + 4
    assert (np.asarray(sheet)[:, -8:] == mistakes.PAPER).all()
