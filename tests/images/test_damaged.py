"""Two thousand damaged files of every kind: each is a picture or a reject with a known reason; no crash, no hang."""

from collections import Counter

import pytest

from cxrbench.base.tables import TABLES, read_table, write_table
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.listing import SourceImage
from tests.images.damage import HARMS, damaged, whole_files

FILES = 2_088  # 29 kinds x 8 harms x 9
REASONS = {
    "empty",
    "not an image",
    "truncated",
    "too small",
    "too large",
    "unsupported",
    "bad header",
    "one grey",
}  # of the decoder itself


@pytest.fixture(scope="module")
def wholes():
    return whole_files()


def test_each_kind_is_read_before_it_is_damaged(wholes, tmp_path):
    for number, data in enumerate(wholes.values()):
        (tmp_path / str(number)).write_bytes(data)
    images, rejects = ingest("whole", [SourceImage(tmp_path / str(n), str(n)) for n in range(len(wholes))])
    assert (len(images), len(rejects)) == (len(wholes), 0)


def test_two_thousand_damaged_files_are_each_read_or_rejected_with_a_reason(wholes, tmp_path):
    exercised = Counter()
    for number in range(FILES):
        kind, harm, data = damaged(wholes, 0, number)
        exercised[kind, harm] += 1
        (tmp_path / str(number)).write_bytes(data)
    assert len(exercised) == len(wholes) * len(HARMS) == 29 * 8
    assert min(exercised.values()) == 9
    images, rejects = ingest("damaged", [SourceImage(tmp_path / str(n), f"{n:04}") for n in range(FILES)], workers=2)
    reasons = Counter(rejects["reason"])
    print(f"{FILES} damaged files: {len(images)} read, {len(rejects)} rejected: {dict(reasons)}")
    assert len(images) + len(rejects) == FILES
    assert set(reasons) <= REASONS
    assert len(images) > 300  # the damage is of every degree: much passes, much does not
    assert reasons["truncated"] > 300
    assert reasons["not an image"] > 100
    assert images["brightness"].between(0, 255).all()
    assert images["border"].between(0, 1).all()
    assert images["phash"].str.fullmatch("[0-9a-f]{64}").all()
    assert (images[["width", "height"]] >= 16).all(axis=None)
    for name, table in (("manifest", images), ("rejects", rejects)):
        write_table(tmp_path / f"{name}.csv", table, name)
        again = read_table(tmp_path / f"{name}.csv", name)
        assert len(again) == len(table)
        for column in (c for c, dtype in TABLES[name].items() if dtype == "str"):
            assert again[column].tolist() == table[column].tolist()
