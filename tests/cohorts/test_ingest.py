"""Every listed file is either in the manifest or in the rejects, whatever its bytes are."""

import hashlib
import io
import os
from pathlib import PurePath

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table, write_table
from cxrbench.cohorts import ingest as module
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.listing import SourceImage
from tests.images.dicom_files import dicom_bytes
from tests.images.parallel_work import examine_but_crash_on_seven

REASONS = {"missing", "empty", "not an image", "truncated", "too small", "too large", "unsupported"}
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "JPEG2000")


def picture_bytes(rng, form, mode="L"):
    buffer = io.BytesIO()
    pixels = rng.integers(0, 256, (24, 32), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, form)
    return buffer.getvalue()


def spoilt(rng, data):
    """The file cut short, with bytes changed, with bytes taken out, or with another's tail."""
    kind = rng.integers(4)
    at = int(rng.integers(1, len(data)))
    if kind == 0:
        return data[:at]
    if kind == 1:
        changed = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 30)):
            changed[place] = rng.integers(256)
        return bytes(changed)
    if kind == 2:
        return data[:at] + data[at + int(rng.integers(1, 40)) :]
    return data[:at] + rng.bytes(200)


def images_in(folder):
    return [SourceImage(path=path, image_id=path.stem, label="normal") for path in folder.iterdir()]


def test_six_hundred_spoilt_files_are_all_accounted_for(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(600):
        data = picture_bytes(rng, FORMATS[number % len(FORMATS)], ("L", "RGB")[number % 2])
        (tmp_path / f"{number:03}.bin").write_bytes(spoilt(rng, data))
    images, rejects = ingest("a", images_in(tmp_path))
    assert len(images) + len(rejects) == 600
    assert len(rejects) > 200
    assert set(rejects["reason"]) <= REASONS
    assert not set(images["path"]) & set(rejects["path"])
    assert (images[["width", "height"]] >= 16).all(axis=None)
    assert not rejects["detail"].str.contains(r"0x[0-9a-f]{6}|\n").any()  # the same in every run
    write_table(tmp_path / "rejects.csv", rejects, "rejects")
    pd.testing.assert_frame_equal(read_table(tmp_path / "rejects.csv", "rejects"), rejects.astype("str"))


@pytest.fixture
def small_cohort(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(30):
        (tmp_path / f"{number:02}.png").write_bytes(picture_bytes(rng, "PNG") if number % 5 else b"")
    return images_in(tmp_path)


def test_neither_order_nor_workers_nor_how_many_rows_go_into_a_frame_change_the_tables(small_cohort, monkeypatch):
    images, rejects = ingest("a", small_cohort)
    monkeypatch.setattr(module, "FRAME_ROWS", 7)
    for listed, workers in ((small_cohort[::-1], 0), (small_cohort, 2)):
        again = ingest("a", listed, workers)
        pd.testing.assert_frame_equal(again[0], images)
        pd.testing.assert_frame_equal(again[1], rejects)
    assert images["image_id"].is_monotonic_increasing
    assert list(rejects["reason"]) == ["empty"] * 6


def test_the_manifest_holds_what_the_file_holds(tmp_path):
    data = picture_bytes(np.random.default_rng(0), "JPEG", "RGB")
    (tmp_path / "x.jpg").write_bytes(data)
    image = SourceImage(tmp_path / "x.jpg", "x", "covid", "PA", "frontal", study_id="s1", source_part="test")
    images, _ = ingest("a", [image])
    row = images.iloc[0]
    assert row["sha256"] == hashlib.sha256(data).hexdigest()
    assert (row["width"], row["height"], row["mode"], row["bytes"]) == (32, 24, "RGB", len(data))
    assert (row["cohort"], row["label"], row["view"], row["study_id"], row["source_part"]) == (
        ("a", "covid", "frontal", "s1", "test")
    )
    assert row["patient_id"] == "x"  # unknown: a patient of its own


def test_a_dicom_headers_view_stands_above_the_cohorts_and_below_the_tables(tmp_path):
    pixels = np.arange(4096, dtype="uint16").reshape(64, 64)
    (tmp_path / "x").write_bytes(dicom_bytes(pixels, ViewPosition="LL"))
    rows = [("cohort", "", "frontal"), ("nobody", "", ""), ("table", "PA", "frontal")]
    images, _ = ingest("a", [SourceImage(tmp_path / "x", name, "", told, view) for name, told, view in rows])
    assert dict(zip(images["image_id"], images["view"])) == {
        "cohort": "lateral",
        "nobody": "lateral",
        "table": "frontal",
    }


def test_progress_advances_once_a_file(small_cohort):
    steps = []
    ingest("a", small_cohort, advance=lambda step, detail: steps.append(step))
    assert steps == [1] * 30


def test_two_images_of_one_name_are_refused(tmp_path):
    twins = [SourceImage(tmp_path / "a.png", "same"), SourceImage(tmp_path / "b.png", "same")]
    with pytest.raises(CxrbenchError, match=r"cohort 'a' has two images named 'same' .*a\.png.*b\.png"):
        ingest("a", twins)


def test_no_files_give_two_empty_tables():
    images, rejects = ingest("a", [])
    assert images.empty
    assert rejects.empty


def test_a_crash_of_a_decoder_is_a_reject_and_every_other_file_is_read(small_cohort, monkeypatch):
    monkeypatch.setattr(module, "examine", examine_but_crash_on_seven)
    images, rejects = ingest("a", small_cohort, workers=2)
    assert len(images) + len(rejects) == 30
    crashed = rejects[rejects["reason"] == "decoder crashed"]
    assert [PurePath(path).name for path in crashed["path"]] == ["07.png"]
    assert crashed["detail"].str.contains("SIGSEGV").all()


def test_any_file_name_ends_in_one_of_the_tables(tmp_path):
    names = [
        b"a,b.png",
        b'q"uote.png',
        b"new\nline.png",
        b"re\rturn.png",
        "\u00fc \u7684.png".encode(),
        b"la\xe9tin.png",
        b" .png",
    ]
    data = picture_bytes(np.random.default_rng(0), "PNG")
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(data)
    images, rejects = ingest("a", images_in(tmp_path))
    assert (len(images), rejects["reason"].tolist()) == (len(names) - 2, ["unsupported"] * 2)
    assert [PurePath(path).name for path in rejects["path"]] == ["la\\xe9tin.png", "re\\rturn.png"]
    for name, table in (("manifest", images), ("rejects", rejects)):
        write_table(tmp_path / "table.csv", table, name)
        assert read_table(tmp_path / "table.csv", name)["path"].tolist() == table["path"].tolist()
