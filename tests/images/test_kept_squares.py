"""An array whose bytes changed on the disk is not trained on: it is made again, with a word."""

import shutil

import numpy as np
import pytest
from PIL import Image

from cxrbench.base.files import sha256_of
from cxrbench.images.kept_squares import kept_squares


@pytest.fixture
def kept(tmp_path):
    """Makes or finds the array of three pictures."""
    paths = [str(tmp_path / f"{number}.png") for number in range(3)]
    for number, path in enumerate(paths):
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 40), "uint8")).save(path)
    sums = [sha256_of(path) for path in paths]
    return lambda: kept_squares(paths, sums, 32, "squash", tmp_path / "cache", 0, lambda steps, detail: None)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_array_is_made_again_and_holds_the_same_bytes(kept, damage, capsys):
    array = kept()
    whole = array.read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    array.write_bytes({"flipped": bytes(flipped), "cut": whole[: len(whole) // 2], "empty": b""}[damage])
    assert kept() == array
    assert capsys.readouterr().err == f"{array} is damaged; it is made again\n"
    assert array.read_bytes() == whole
    assert kept() == array
    assert capsys.readouterr().err == ""


def test_a_disk_without_room_for_an_array_is_an_error_and_no_bus_error_while_it_is_written(kept, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9 - 4096, 4096))
    with pytest.raises(OSError, match="No space left on device"):
        kept()
    monkeypatch.undo()
    array = kept()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 0))
    assert kept() == array  # what is there needs no room


def test_an_array_of_an_earlier_version_without_a_checksum_is_used_and_gets_one(kept, capsys):
    array = kept()
    array.with_suffix(".sha256").unlink()
    assert kept() == array
    assert array.with_suffix(".sha256").read_text() == sha256_of(array)
    assert capsys.readouterr().err == ""
