import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cxrbench.base.tables import TABLES
from cxrbench.images.thumbnail import SIZE_PX, thumbnail
from cxrbench.reporting import gallery, review
from cxrbench.reporting.gallery import Item

GREY = np.full((SIZE_PX, SIZE_PX), 90, dtype="uint8")


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def items(n, **more):
    return [Item(f"p{i}", f"image {i}", f"caption {i}", **more) for i in range(n)]


def row(image_id, view="", score=0.5, cohort="a", path="nowhere"):
    return [cohort, image_id, path, view, score, "why"]


def table(*rows):
    return pd.DataFrame(rows, columns=list(TABLES["review"]))


def test_each_image_is_a_jpeg_inside_the_page_with_title_and_caption_and_the_page_asks_for_nothing_else():
    text = gallery.page("Hard cases", "A note.", [gallery.gallery("G", "n", items(3), picture=lambda path: GREY)])
    page = Page(text)
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert [one["alt"] for one in images] == ["image 0", "image 1", "image 2"]
    for one in images:
        assert one["loading"] == "lazy"
        data = base64.b64decode(one["src"].removeprefix("data:image/jpeg;base64,"))
        with Image.open(BytesIO(data)) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (SIZE_PX, SIZE_PX), "L")
    assert "caption 2" in page.text
    assert not re.search(r"<(script|link|iframe|object)\b|@import|url\(|https?:", text)


def test_at_most_so_many_are_shown_in_their_order_and_the_others_are_counted():
    shown = gallery.gallery("G", "n", items(2000), most=2, picture=lambda path: GREY)
    assert [card.title for card in shown.cards] == ["image 0", "image 1"]
    assert "And 1,998 more that are not shown." in gallery.fragment(shown)
    assert "more that are not" not in gallery.fragment(gallery.gallery("G", "n", items(2), picture=lambda path: GREY))


def test_an_image_that_can_not_be_decoded_shows_its_reason(tmp_path):
    (tmp_path / "x.png").write_text("no image")
    shown = gallery.gallery("G", "n", [Item(str(tmp_path / name), name, "c") for name in ("x.png", "gone.png")])
    assert [card.instead for card in shown.cards] == ["can't be shown: not an image", "can't be shown: missing"]
    assert "<img" not in gallery.fragment(shown)


@given(st.text(max_size=30))
def test_no_text_becomes_a_tag(text):
    whole = gallery.page(text, text, [gallery.gallery(text, text, [Item("p", text, text)], picture=lambda path: text)])
    plain = gallery.page("", "", [gallery.gallery("", "", [Item("p", "", "")], picture=lambda path: "")])
    assert [tag for tag, _ in Page(whole).tags] == [tag for tag, _ in Page(plain).tags]


def test_a_title_can_not_break_out_of_its_attribute():
    text = gallery.fragment(gallery.gallery("G", "n", [Item("p", '"><b onload="x', "c")], picture=lambda path: GREY))
    assert {tag for tag, _ in Page(text).tags} == {"h3", "p", "ul", "li", "img", "span"}
    assert all("onload" not in attrs for _, attrs in Page(text).tags)


def test_nothing_to_show_says_so():
    assert "None." in gallery.fragment(gallery.gallery("G", "n", []))


@pytest.mark.parametrize("size", [(400, 100), (100, 400), (60, 60)])
def test_a_thumbnail_keeps_the_aspect_ratio(tmp_path, size):
    image = Image.new("L", size, 255)
    image.paste(180, (0, 0, size[0] // 2, size[1]))  # an image of one grey is refused
    image.save(tmp_path / "x.png")
    rows, columns = np.nonzero(thumbnail(str(tmp_path / "x.png")) > 128)
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    assert max(width, height) == SIZE_PX
    assert width / height == pytest.approx(size[0] / size[1], rel=0.05)


def test_the_review_list_begins_with_what_contradicts_the_metadata_most():
    found = table(row("a", score=0.2), row("b", "lateral", 0.93), row("c", score=0.49), row("d", "frontal", 0.01),
                  row("e", score=np.nan))  # fmt: skip
    assert review.hardest_first(found)["image_id"].tolist() == ["d", "b", "c", "a", "e"]


def test_no_file_of_a_restricted_cohort_is_opened_and_the_page_says_what_would_show_it():
    opened = []

    def picture(path):
        opened.append(path)
        return GREY

    found = table(row("s1", cohort="mimic", path="secret"), row("o1", "lateral", 0.93, path="open"))
    shown = review.review(found, {"mimic", "unseen"}, picture=picture)
    assert opened == ["open"]
    assert [(card.title, card.instead) for card in shown.cards] == [("o1", ""), ("s1", "withheld: restricted")]
    assert "cohorts.mimic.restricted: false" in shown.note
    assert "unseen" not in shown.note
    text = gallery.fragment(shown)
    assert text.count("data:image") == 1
    assert "secret" not in text


def test_a_caption_holds_score_view_cohort_and_reason():
    shown = review.review(table(row("x", "lateral", 0.93)), set(), picture=lambda path: GREY)
    assert shown.cards[0].caption == "P(frontal) 0.930, lateral by metadata, a: why"
