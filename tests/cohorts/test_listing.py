"""Image names: short where they can be, never the same twice."""

from hypothesis import given
from hypothesis import strategies as st

from cxrbench.cohorts.found import unique_ids

names = st.lists(
    st.lists(st.sampled_from(["a", "b", ".", ".png", ".jpg"]), min_size=1, max_size=4).map("".join), unique=True
)


@given(names.map(lambda many: [name for name in many if name.strip(".")]))
def test_different_files_never_share_a_name(files):
    ids = unique_ids(files)
    assert len(set(ids)) == len(files)


def test_a_file_ending_is_dropped_where_that_leaves_no_doubt():
    assert unique_ids(["n/a.png", "n/b.png", "n/b.jpg", "m/a.png"]) == ["n/a", "n/b.png", "n/b.jpg", "m/a"]


def test_a_shortened_name_never_takes_the_full_name_of_another():
    assert unique_ids(["a.png", "a.jpg", "a.png.tif"]) == ["a.png", "a.jpg", "a.png.tif"]
