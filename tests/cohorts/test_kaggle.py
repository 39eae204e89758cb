"""The reader of 'Chest X-Ray Images (Pneumonia)'."""

from pathlib import Path

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.listing import TOOL_FILES
from cxrbench.cohorts.sources import kaggle


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
    images = {image.image_id: image for image in kaggle.read(tmp_path).images}
    assert set(images) == {
        "train/PNEUMONIA/person123_bacteria_4",
        "val/NORMAL/NORMAL2-IM-1293-0001",
        "test/NORMAL/IM-0115-0001",
    }
    one = images["val/NORMAL/NORMAL2-IM-1293-0001"]
    assert (one.label, one.source_part, one.view, one.view_position) == ("normal", "validation", "frontal", "AP")
    assert one.path == tmp_path / inside / "val/NORMAL/NORMAL2-IM-1293-0001.jpeg"
    assert images["train/PNEUMONIA/person123_bacteria_4"].label == "pneumonia"


@pytest.mark.parametrize(
    ("name", "strict", "loose"),
    [
        ("person123_bacteria_4.jpeg", "person123", "person123_bacteria"),
        ("person123_virus_9.jpeg", "person123", "person123_virus"),
        ("person1941_virus_4863_1.jpeg", "person1941", "person1941_virus"),
        ("NORMAL2-IM-1293-0001.jpeg", "NORMAL2-IM-1293", ""),
        ("NORMAL2-IM-1103-0001-0002.jpeg", "NORMAL2-IM-1103", ""),
        ("IM-0115-0001.jpeg", "IM-0115", ""),
        ("BACTERIA-1008087-0001.jpeg", "1008087", "1008087_bacteria"),  # the publisher's third version
        ("VIRUS-1008087-0002.jpeg", "1008087", "1008087_virus"),
        ("NORMAL-28501-0001.jpeg", "28501", "28501_normal"),
        ("scan7.jpeg", "", ""),
        ("person_virus.jpeg", "", ""),
    ],
)
def test_a_file_name_tells_its_patient_in_two_readings(name, strict, loose):
    assert kaggle.patient_of(name) == (strict, loose)


def test_files_that_are_no_images_are_listed_too_and_left_to_be_rejected(tmp_path):
    touch(tmp_path, "train/NORMAL/notes.txt", "train/NORMAL/IM-1-1.jpeg")
    assert {image.path.name for image in kaggle.read(tmp_path).images} == {"notes.txt", "IM-1-1.jpeg"}


def test_a_missing_root_a_file_a_wrong_shape_and_an_empty_set_are_one_sentence_each(tmp_path):
    with pytest.raises(CxrbenchError, match="nowhere does not exist"):
        kaggle.read(tmp_path / "nowhere")
    touch(tmp_path, "file")
    with pytest.raises(CxrbenchError, match="file is not a folder"):
        kaggle.read(tmp_path / "file")
    with pytest.raises(CxrbenchError, match=r"holds no file in \{train,val,test\}/\{NORMAL,PNEUMONIA\}"):
        kaggle.read(tmp_path)
    (tmp_path / "train" / "NORMAL").mkdir(parents=True)
    with pytest.raises(CxrbenchError, match="holds no file in"):
        kaggle.read(tmp_path)


def test_paths_are_relative_where_the_root_is(tmp_path, monkeypatch):
    touch(tmp_path, "set/train/NORMAL/IM-1-1.jpeg")
    monkeypatch.chdir(tmp_path)
    assert kaggle.read(Path("set")).images[0].path == Path("set/train/NORMAL/IM-1-1.jpeg")


NAMES = (
    "train/NORMAL/IM-0115-0001.jpeg",
    "train/PNEUMONIA/person1_bacteria_1.jpeg",
    "test/PNEUMONIA/person1_virus_6.jpeg",
)
FORK = bytes.fromhex("00051607") + b"\0\2\0\0Mac OS X"


def write(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def nested_archive(root):
    """Kaggle's archive: the set, the set again inside, and the Finder's forks of it."""
    for number, name in enumerate(NAMES):
        content = bytes([number]) * 9
        fork = name.replace("/IM", "/._IM").replace("/person", "/._person")
        places = (f"chest_xray/{name}", f"chest_xray/chest_xray/{name}", f"chest_xray/__MACOSX/chest_xray/{fork}")
        write(root, dict(zip(places, (content, content, FORK))))


def reading(root):
    listing = kaggle.read(root)
    return listing.images, listing.skipped


@pytest.mark.parametrize("inside", ["", "chest_xray"])
def test_the_archives_nested_copies_are_counted_once(tmp_path, inside):
    nested_archive(tmp_path)
    images, skipped = reading(tmp_path / inside)
    assert sorted(one.image_id + ".jpeg" for one in images) == sorted(NAMES)
    assert {one.path.parents[2] for one in images} == {tmp_path / "chest_xray"}  # the outermost stay
    assert skipped == {"identical copies": 3, TOOL_FILES: 3, "files of other folders": 0}


def test_a_copy_that_differs_from_the_original_is_no_copy(tmp_path):
    nested_archive(tmp_path)
    same_size = tmp_path / "chest_xray/chest_xray" / NAMES[0]
    same_size.write_bytes(b"x" * 9)
    images, skipped = reading(tmp_path)
    assert len(images) == 4
    assert skipped["identical copies"] == 2
    extra = next(one for one in images if one.path == same_size)
    assert (extra.image_id, extra.label, extra.source_part, extra.patient_id) == (
        "chest_xray/chest_xray/train/NORMAL/IM-0115-0001", "normal", "train", "IM-0115",
    )  # fmt: skip


def test_every_file_is_listed_or_counted_as_skipped(tmp_path):
    nested_archive(tmp_path)
    write(tmp_path, {"chest_xray/.DS_Store": b"1", "chest_xray/train/NORMAL/._odd.jpeg": b"no fork", "notes.txt": b"2"})
    (tmp_path / "chest_xray/val/NORMAL").mkdir(parents=True)
    (tmp_path / "chest_xray/val/NORMAL/gone.jpeg").symlink_to(tmp_path / "nowhere")
    images, skipped = reading(tmp_path)
    assert len(images) + sum(skipped.values()) == sum(not path.is_dir() for path in tmp_path.rglob("*"))
    assert "val/NORMAL/gone" in {one.image_id for one in images}


def test_other_organs_beside_the_set_are_not_taken_for_chests(tmp_path):
    write(tmp_path, {"OCT/train/NORMAL/NORMAL-1-1.jpeg": b"eye", "chest_xray/train/NORMAL/NORMAL-2-1.jpeg": b"chest"})
    images, skipped = reading(tmp_path)
    assert [one.image_id for one in images] == ["train/NORMAL/NORMAL-2-1"]
    assert skipped["files of other folders"] == 1


def test_a_folder_that_links_back_to_itself_ends(tmp_path):
    nested_archive(tmp_path)
    (tmp_path / "chest_xray/again").symlink_to(tmp_path)
    assert len(kaggle.read(tmp_path).images) == 3


def test_what_tools_leave_in_the_class_folders_is_not_data(tmp_path):
    touch(tmp_path, *(f"train/NORMAL/IM-{n}-1.jpeg" for n in range(6)))
    touch(tmp_path, *(f"train/NORMAL/.ipynb_checkpoints/IM-{n}-1-checkpoint.jpeg" for n in range(6)))
    touch(tmp_path, *(f"train/NORMAL/@eaDir/IM-{n}-1.jpeg/SYNOPHOTO_THUMB_XL.jpg" for n in range(6)))
    images, skipped = reading(tmp_path)
    assert len(images) == 6
    assert skipped[TOOL_FILES] == 12
