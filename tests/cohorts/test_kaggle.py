"""The reader of 'Chest X-Ray Images (Pneumonia)'."""

from pathlib import Path

import pytest

from cxrbench.cohorts import kaggle
from cxrbench.errors import CxrbenchError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


@pytest.mark.parametrize("inside", ["", "chest_xray", "chest_xray/chest_xray"])
def test_part_label_view_and_patient_come_from_folder_and_name(tmp_path, inside):
    touch(
        tmp_path / inside,
        "train/PNEUMONIA/person123_bacteria_4.jpeg",
        "val/NORMAL/NORMAL2-IM-1293-0001.jpeg",
        "test/NORMAL/IM-0115-0001.jpeg",
    )
    found = {image.image_id: image for image in kaggle.read(tmp_path)}
    assert set(found) == {
        "train/PNEUMONIA/person123_bacteria_4",
        "val/NORMAL/NORMAL2-IM-1293-0001",
        "test/NORMAL/IM-0115-0001",
    }
    one = found["val/NORMAL/NORMAL2-IM-1293-0001"]
    assert (one.label, one.source_part, one.view, one.view_position) == ("normal", "validation", "frontal", "AP")
    assert one.path == tmp_path / inside / "val/NORMAL/NORMAL2-IM-1293-0001.jpeg"
    assert found["train/PNEUMONIA/person123_bacteria_4"].label == "pneumonia"


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person123_bacteria_4.jpeg", "person123"),
        ("person123_virus_9.jpeg", "person123"),
        ("person1941_virus_4863_1.jpeg", "person1941"),
        ("NORMAL2-IM-1293-0001.jpeg", "NORMAL2-IM-1293"),
        ("NORMAL2-IM-1103-0001-0002.jpeg", "NORMAL2-IM-1103"),
        ("IM-0115-0001.jpeg", "IM-0115"),
        ("scan7.jpeg", ""),
        ("person_virus.jpeg", ""),
    ],
)
def test_a_file_name_tells_its_patient(name, patient):
    assert kaggle.patient_of(name) == patient


def test_files_that_are_no_images_are_found_too_and_left_to_be_rejected(tmp_path):
    touch(tmp_path, "train/NORMAL/.DS_Store", "train/NORMAL/IM-1-1.jpeg")
    assert {image.path.name for image in kaggle.read(tmp_path)} == {".DS_Store", "IM-1-1.jpeg"}


def test_a_missing_root_a_file_a_wrong_shape_and_an_empty_set_are_one_sentence_each(tmp_path):
    with pytest.raises(CxrbenchError, match="nowhere does not exist"):
        kaggle.read(tmp_path / "nowhere")
    touch(tmp_path, "file")
    with pytest.raises(CxrbenchError, match="file is not a folder"):
        kaggle.read(tmp_path / "file")
    with pytest.raises(CxrbenchError, match=r"holds none of \{train,val,test\}/\{NORMAL,PNEUMONIA\}"):
        kaggle.read(tmp_path)
    (tmp_path / "train" / "NORMAL").mkdir(parents=True)
    with pytest.raises(CxrbenchError, match="no file in them"):
        kaggle.read(tmp_path)


def test_paths_are_relative_where_the_root_is(tmp_path, monkeypatch):
    touch(tmp_path, "set/train/NORMAL/IM-1-1.jpeg")
    monkeypatch.chdir(tmp_path)
    assert kaggle.read(Path("set"))[0].path == Path("set/train/NORMAL/IM-1-1.jpeg")
