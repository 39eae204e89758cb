"""Files and folders become a table or a JSON array, whole or not at all."""

import contextlib
import json
import os

import numpy as np
import pytest
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table
from cxrbench.prediction import files
from tests.prediction.models import brightness, model


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A folder of images, some of which cannot be used; no network is started."""

    @contextlib.contextmanager
    def started(networks, threads):
        assert [one.image_size for one in networks] == [8, 6]
        yield brightness

    monkeypatch.setattr(files.network, "started", started)
    folder = tmp_path / "im, ages"
    folder.mkdir()
    for name, grey in (("bright.png", 250), ("grey.png", 210), ("dark.png", 5)):
        noise = np.random.default_rng(0).integers(0, 5, (40, 40))
        Image.fromarray((grey + noise).astype(np.uint8)).save(folder / name)
    (folder / "empty.png").touch()
    (folder / ".DS_Store").touch()
    return folder


def write(named, out, of=None):
    steps = []
    counts = files.write_predictions(named, of or model(), out, 1, lambda step, _: steps.append(step))
    assert sum(steps) == len(named)
    return counts


def test_a_table_has_a_row_for_each_file(images, tmp_path):
    named, skipped = files.all_files([str(images)])
    assert skipped == 1
    counts = write(named, tmp_path / "out" / "p.csv")
    assert counts == {"covid": 2, "not a frontal chest X-ray": 1, "unusable": 1}
    table = read_table(tmp_path / "out" / "p.csv", "predictions")
    assert list(table["path"]) == named
    assert dict(zip((os.path.basename(path) for path in table["path"]), table["label"])) == {
        "bright.png": "covid", "grey.png": "covid", "dark.png": "", "empty.png": "",
    }  # fmt: skip
    assert set(table["reason"]) == {"", "not a frontal chest X-ray: lateral", "empty: 0 bytes"}
    assert table["probability"].isna().sum() == 2


def test_json_is_one_document_with_an_object_a_line_and_says_the_same(images, tmp_path):
    named, _ = files.all_files([str(images)])
    for name in ("p.csv", "p.json"):
        write(named, tmp_path / name)
    text = (tmp_path / "p.json").read_text(encoding="utf-8")
    rows = json.loads(text, parse_constant=pytest.fail)
    assert [json.loads(line.rstrip(",")) for line in text.splitlines()[1:-1]] == rows
    table = read_table(tmp_path / "p.csv", "predictions")
    assert [list(row) for row in rows] == [list(table.columns)] * len(rows)
    for row, (_, cells) in zip(rows, table.iterrows()):
        assert row["label"] == (cells["label"] or None)
        assert row["probability"] == (None if np.isnan(cells["probability"]) else pytest.approx(cells["probability"]))


def test_no_file_makes_an_empty_table(images, tmp_path):
    for name, text in (("p.csv", ",".join(files.COLUMNS) + "\n"), ("p.json", "[]\n")):
        assert not write([], tmp_path / name)
        assert (tmp_path / name).read_text() == text


def test_without_a_file_to_write_the_table_goes_to_standard_output(images, capsys):
    write([str(images / "bright.png")], None)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == ",".join(files.COLUMNS)
    assert said[1].startswith(f'"{images}/bright.png",covid,covid,0.9')


def test_another_ending_is_refused_before_anything_is_decoded(images, tmp_path):
    with pytest.raises(CxrbenchError, match=r"must end in \.csv or \.json"):
        files.write_predictions(["x"], None, tmp_path / "p.txt", 1, None)


@pytest.mark.parametrize("name", ["p.csv", "p.json"])
def test_what_stops_the_work_leaves_the_old_file_and_nothing_else(images, tmp_path, monkeypatch, name):
    def stopped(*_):
        yield from files.judge([], model(), brightness)
        raise KeyboardInterrupt

    out = tmp_path / "out" / name
    out.parent.mkdir()
    out.write_text("of before")
    monkeypatch.setattr(files, "predict", stopped)
    with pytest.raises(KeyboardInterrupt):
        files.write_predictions(["x"], model(), out, 1, lambda *_: None)
    assert out.read_text() == "of before"
    assert os.listdir(out.parent) == [name]


def test_files_and_folders_are_taken_as_named_and_each_once(images):
    bright = str(images / "bright.png")
    named, _ = files.all_files([bright, str(images), bright])
    assert named[0] == bright
    assert len(named) == len(set(named)) == 4
    with pytest.raises(CxrbenchError, match="nowhere does not exist"):
        files.all_files([bright, "nowhere"])
