"""PneumoniaMNIST's arrays as files."""

import numpy as np
import pytest
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.sources import medmnist


def arrays(size_px=28, **changed):
    rng = np.random.default_rng(0)
    content = {}
    for part, labels in (("train", [0, 1, 1]), ("val", [1]), ("test", [0, 0])):
        content[f"{part}_images"] = rng.integers(0, 256, (len(labels), size_px, size_px), dtype=np.uint8)
        content[f"{part}_labels"] = np.array(labels, dtype=np.uint8)[:, None]
    return content | changed


def saved(path, **content):
    np.savez(path, **content)
    return path


def test_each_array_row_is_a_file_of_its_part_and_label_pixel_for_pixel(tmp_path):
    content = arrays()
    tree = medmnist.write_tree(saved(tmp_path / "a.npz", **content), tmp_path / "tree", 28)
    images = {one.image_id: one for one in medmnist.read(tree).images}
    assert {name: (one.source_part, one.label, one.view) for name, one in images.items()} == {
        "train/normal/00000": ("train", "normal", "frontal"),
        "train/pneumonia/00001": ("train", "pneumonia", "frontal"),
        "train/pneumonia/00002": ("train", "pneumonia", "frontal"),
        "val/pneumonia/00000": ("validation", "pneumonia", "frontal"),
        "test/normal/00000": ("test", "normal", "frontal"),
        "test/normal/00001": ("test", "normal", "frontal"),
    }
    np.testing.assert_array_equal(Image.open(images["train/pneumonia/00002"].path), content["train_images"][2])


DAMAGE = {
    "a pickle": ({"train_images": np.array([{}], dtype=object)}, "no PneumoniaMNIST"),
    "another size": ({"val_images": np.zeros((1, 64, 64), np.uint8)}, r"val_images uint8 \[1, 64, 64\].*size is 28"),
    "colour": ({"val_images": np.zeros((1, 28, 28, 3), np.uint8)}, r"\[1, 28, 28, 3\]"),
    "floats": ({"test_images": np.zeros((2, 28, 28))}, "test_images float64"),
    "too few labels": ({"train_labels": np.zeros((2, 1), np.uint8)}, "for 2 labels"),
    "a third class": ({"val_labels": np.array([[2]], np.uint8)}, "label 2 at val 0"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_arrays_of_another_kind_are_refused_and_leave_nothing(tmp_path, name):
    changed, message = DAMAGE[name]
    with pytest.raises(CxrbenchError, match=message):
        medmnist.write_tree(saved(tmp_path / "a.npz", **arrays(**changed)), tmp_path / "tree", 28)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_file_that_is_no_archive_or_lacks_an_array_is_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"\x80\x04no zip")
    with pytest.raises(CxrbenchError, match=r"a\.npz is no \.npz of arrays"):
        medmnist.write_tree(tmp_path / "a.npz", tmp_path / "tree", 28)
    content = arrays()
    del content["test_labels"]
    with pytest.raises(CxrbenchError, match="test_labels"):
        medmnist.write_tree(saved(tmp_path / "b.npz", **content), tmp_path / "tree", 28)
    whole = saved(tmp_path / "c.npz", **arrays()).read_bytes()
    (tmp_path / "c.npz").write_bytes(whole.replace(arrays()["val_images"].tobytes()[:50], b"\0" * 50))
    with pytest.raises(CxrbenchError, match="no PneumoniaMNIST"):
        medmnist.write_tree(tmp_path / "c.npz", tmp_path / "tree", 28)
    assert not (tmp_path / "tree").exists()
