"""Names of params.yaml, their readers and recipes, and archives in the place of folders."""

import os
import types
import zipfile

import numpy as np
import pytest

from cxrbench.base import plugins
from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts import reader
from cxrbench.cohorts.listing import Listing
from cxrbench.config.cohort import FETCHES, SOURCES


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return path


def ids_of(source, root, tmp_path, **options):
    return {
        one.image_id
        for one in reader.find(source, reader.opened(source, root, tmp_path / "store", 28), **options).images
    }


def test_every_name_that_params_yaml_may_hold_has_its_reader_and_recipe():
    assert {"phantom", *plugins.built_in("source")} == set(SOURCES)
    assert set(reader.RECIPES) == {name for names in FETCHES.values() for name in names}


@pytest.mark.parametrize(
    ("source", "names", "ids"),
    [
        ("kaggle", ["chest_xray/train/NORMAL/IM-1-1.jpeg"], {"train/NORMAL/IM-1-1"}),
        ("kaggle", ["train/NORMAL/IM-1-1.jpeg", "chest_xray/train/NORMAL/IM-1-1.jpeg"], {"train/NORMAL/IM-1-1"}),
        ("directory", ["covid/a.dcm", "normal/b.png"], {"covid/a", "normal/b"}),
        ("directory", ["mine/covid/a.png", "mine/normal/b.png", "__MACOSX/mine/._x"], {"covid/a", "normal/b"}),
        ("directory", ["covid/a.png", "covid/b.png"], {"covid/a", "covid/b"}),
        ("directory", ["covid/a.png", "covid/@eaDir/a.png/t.jpg"], {"covid/a"}),
        ("directory", ["@eaDir/set/t.jpg", "mine/covid/a.png"], {"covid/a"}),
        ("directory", ["a/covid/x.png", "b/covid/x.png"], {"a/covid/x", "b/covid/x"}),
    ],
)
def test_a_zip_is_read_as_the_folder_it_holds(tmp_path, source, names, ids):
    assert ids_of(source, zipped(tmp_path / "set.zip", *names), tmp_path) == ids


def test_a_zip_may_hold_a_table_and_a_folder_around_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("mine/list.csv", "path,label,patient\nx/a.png,covid,p1\nb.png,normal,\n")
    root = reader.opened("directory", tmp_path / "set.zip", tmp_path / "store", 28)
    rows = reader.find("directory", root, "list.csv").images
    assert [(one.image_id, one.patient_id) for one in rows] == [("x/a", "p1"), ("b", "")]


def test_a_zip_is_unpacked_once_and_anew_when_it_changes(tmp_path):
    archive = zipped(tmp_path / "set.zip", "covid/a.png", "normal/b.png")
    first = reader.opened("directory", archive, tmp_path / "store", 28)
    (first / "covid/mark").touch()
    assert reader.opened("directory", archive, tmp_path / "store", 28) == first
    assert (first / "covid/mark").exists()
    zipped(archive, "covid/a.png", "normal/c.png")
    os.utime(archive, ns=(1, 1))
    assert ids_of("directory", archive, tmp_path) == {"covid/a", "normal/c"}


def test_a_file_that_is_no_archive_is_left_to_the_reader_to_refuse(tmp_path):
    (tmp_path / "set.tgz").write_bytes(b"x")
    with pytest.raises(CxrbenchError, match=r"set\.tgz is not a folder"):
        ids_of("directory", tmp_path / "set.tgz", tmp_path)
    (tmp_path / "set.zip").write_bytes(b"no zip")
    with pytest.raises(CxrbenchError, match=r"set\.zip"):
        ids_of("kaggle", tmp_path / "set.zip", tmp_path)
    with pytest.raises(CxrbenchError, match="nowhere does not exist"):
        ids_of("kaggle", tmp_path / "nowhere", tmp_path)


def test_a_local_npz_is_written_out_once(tmp_path):
    content = {f"{part}_images": np.zeros((1, 28, 28), np.uint8) for part in ("train", "val", "test")}
    content |= {f"{part}_labels": np.ones((1, 1), np.uint8) for part in ("train", "val", "test")}
    np.savez(tmp_path / "pneumoniamnist.npz", **content)
    ids = {f"{part}/pneumonia/00000" for part in ("train", "val", "test")}
    for _ in range(2):
        assert ids_of("medmnist", tmp_path / "pneumoniamnist.npz", tmp_path) == ids


def test_a_reader_of_an_installed_package_gets_its_options_alone_and_keeps_its_own_defaults(monkeypatch, tmp_path):
    given = []

    def read(root, table="mine.csv", seed=7, depth=1):
        given.append((table, seed, depth))
        return Listing([])

    monkeypatch.setattr(plugins, "load", lambda kind, name: types.SimpleNamespace(read=read))
    reader.find("mine", tmp_path, None, None, seed=0, options={"depth": 2})
    assert given == [("mine.csv", 7, 2)]
    with pytest.raises(CxrbenchError, match="source mine has no option width but table, seed, depth"):
        reader.find("mine", tmp_path, options={"width": 2})
