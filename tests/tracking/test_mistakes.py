from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrbench.images.thumbnail import SIZE_PX
from cxrbench.tracking import mistakes


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


def test_images_of_two_sources_that_share_a_name_are_two_images():
    both = pd.concat([scores([0.1, 0.2]).assign(source="b"), scores([0.9, 0.8])])
    images = pd.concat([IMAGES.assign(source="b", path=[f"q{k}" for k in range(4)]), IMAGES])
    found = mistakes.worst([both])
    assert found[["source", "image_id"]].to_numpy().tolist() == [["b", "i0"], ["a", "i1"]]
    asked = []
    mistakes.draw("t", [both], images, lambda path: asked.append(path) or "gone")
    assert asked == ["q0", "p1"]


def shown(axes):
    (image,) = axes.images
    return np.asarray(image.get_array())


def test_the_sheet_shows_each_image_in_its_place_and_words_where_there_is_none():
    asked = []

    def thumbnail(path):
        asked.append(path)
        return "truncated" if path == "p1" else np.full((SIZE_PX, SIZE_PX), 200, dtype="uint8")

    figure = mistakes.draw("title", [scores([0.2, 0.9, 0.9, 0.1])], IMAGES, thumbnail)
    assert asked == ["p1", "p0"]
    first, second = figure.axes[:2]
    assert (shown(first) == mistakes.GREY).all()
    assert [text.get_text() for text in first.texts] == ["truncated"]
    assert first.get_title(loc="left") == "score 0.900, normal\ni1"
    assert (shown(second) == 200).all()
    assert second.get_title(loc="left") == "score 0.200, covid\ni0"
    assert figure.get_suptitle() == "title; score: P(covid)"
    assert not any(axes.images for axes in figure.axes[2:])


@pytest.mark.parametrize("count", [1, 2, 6, 7, 12])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_sheet_of_any_number_holds_long_names_and_odd_letters(count):
    black = np.zeros((SIZE_PX, SIZE_PX), dtype="uint8")
    figure = mistakes.sheet(
        "표 <b> $\\frac{", ["$\\frac{ " * 9, *[black] * (count - 1)], [("정상 " * 40, "$\\frac{" * 99)] * count
    )
    page = BytesIO()
    figure.savefig(page, format="png")
    with Image.open(page) as sheet:
        width, height = sheet.size
        grey = np.asarray(sheet.convert("L"))
    assert width == round(mistakes.COLUMNS * mistakes.TILE_INCHES[0] * mistakes.DPI)
    assert height > 200 * -(-count // 6)
    assert (grey[:, -2:] == 255).all()
    boxes = [axes.get_window_extent() for axes in figure.axes[:count]]
    assert min(box.width for box in boxes) > 0.9 * SIZE_PX


def test_an_image_keeps_its_grey_whatever_its_range():
    dim = np.full((SIZE_PX, SIZE_PX), 40, dtype="uint8")
    dim[0] = 60
    (tile, *_) = mistakes.sheet("t", [dim], [("a", "b")]).axes
    assert tile.images[0].get_clim() == (0, 255)
