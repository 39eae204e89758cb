"""Image names, short where they can be and never the same twice, and paths, never outside the root."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.listing import path_below, unique_ids

names = st.lists(
    st.lists(st.sampled_from(["a", "b", ".", ".png", ".jpg"]), min_size=1, max_size=4).map("".join), unique=True
)


@given(names.map(lambda many: [name for name in many if name.strip(".")]))
@example(["..png"])
def test_different_files_never_share_a_name(files):
    ids = unique_ids(files)
    assert len(set(ids)) == len(files)


def test_a_file_ending_is_dropped_where_that_leaves_no_doubt():
    assert unique_ids(["n/a.png", "n/b.png", "n/b.jpg", "m/a.png"]) == ["n/a", "n/b.png", "n/b.jpg", "m/a"]


def test_a_shortened_name_never_takes_the_full_name_of_another():
    assert unique_ids(["a.png", "a.jpg", "a.png.tif"]) == ["a.png", "a.jpg", "a.png.tif"]


ROOT = Path("/data/set")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.png", "a.png"),
        ("./d//a.png", "d/a.png"),
        ("d\\a.png", "d/a.png"),
        (".\\d\\a.png", "d/a.png"),
        ("/data/set/d/a.png", "d/a.png"),
        ("..a/b..png", "..a/b..png"),
    ],
)
def test_a_path_of_a_table_is_below_the_root_however_it_is_written(text, path):
    assert path_below(ROOT, text, "t") == path


@pytest.mark.parametrize(
    "text", ["/data/other/a.png", "../a.png", "d/../../a.png", "..\\a.png", "C:\\x\\a.png", ".", "/data/set"]
)
def test_a_path_that_leads_elsewhere_is_refused_with_the_root(text):
    with pytest.raises(CxrbenchError, match=r"line 3 has path .* does not lie below the cohort's root /data/set"):
        path_below(ROOT, text, "table t, line 3")


def test_an_absolute_path_may_name_the_folder_that_the_root_links_to(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert path_below(tmp_path / "root", f"{tmp_path}/real/a.png", "t") == "a.png"
