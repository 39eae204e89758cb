"""Which files of a folder are data, wherever a tool has been."""

import os

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import is_left_by_tool, list_files, list_folders

TOOL_FOLDERS = (
    ".ipynb_checkpoints",
    "@eaDir",
    "__MACOSX",
    ".thumbnails",
    "#recycle",
    ".AppleDouble",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
    ".git",
)
TOOL_FILES = ("._x.jpg", "Thumbs.db", "desktop.ini", ".DS_Store", "~$list.xlsx")


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize("folder", TOOL_FOLDERS)
def test_a_folder_that_a_tool_leaves_holds_no_data_at_any_depth(tmp_path, folder):
    touch(tmp_path, "a/x.jpg", f"{folder}/y.jpg", f"a/{folder}/deep/z.jpg", f"a/{folder.lower()}/w.jpg")
    assert list_files(tmp_path) == ([f"{tmp_path}/a/x.jpg"], 3)
    assert list_folders(tmp_path) == [tmp_path / "a"]


@pytest.mark.parametrize("name", TOOL_FILES)
def test_a_file_that_a_tool_leaves_is_no_data(tmp_path, name):
    touch(tmp_path, "a/x.jpg", f"a/{name}", name)
    assert list_files(tmp_path) == ([f"{tmp_path}/a/x.jpg"], 2)


@pytest.mark.parametrize(
    "name", ["a.jpg", "x.", "recycle", "thumbs.db.png", "@1.png", "$1.png", "#1.png", "lost", "~.png"]
)
def test_other_names_are_data(name):
    assert not is_left_by_tool(name)


def test_files_are_listed_sorted_and_a_hidden_folder_is_listed_when_asked_for(tmp_path):
    names = ["b.jpg", "a/z.png", "a/deep/er/x.dcm", "a-b.jpg", "no ending"]
    touch(tmp_path, *names, ".hidden.jpg", ".git/c.jpg")
    assert list_files(str(tmp_path)) == (sorted(f"{tmp_path}/{name}" for name in names), 2)
    assert list_files(f"{tmp_path}/a/deep") == ([f"{tmp_path}/a/deep/er/x.dcm"], 0)
    assert list_files(f"{tmp_path}/.git") == ([f"{tmp_path}/.git/c.jpg"], 0)


def test_links_are_followed_but_not_in_circles_and_a_broken_one_is_a_file(tmp_path):
    real, elsewhere = tmp_path / "real", tmp_path / "elsewhere"
    for each in (real, elsewhere):
        each.mkdir()
        (each / "a.jpg").touch()
    (real / "file.jpg").symlink_to(elsewhere / "a.jpg")
    (real / "other").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(real)
    (real / "self").symlink_to(real / "self")
    (real / "gone.jpg").symlink_to(tmp_path / "gone")
    (tmp_path / "start").symlink_to(real)
    files, _ = list_files(tmp_path / "start")
    assert [path.removeprefix(f"{tmp_path}/start/") for path in files] == [
        "a.jpg", "file.jpg", "gone.jpg", "other/a.jpg", "self"
    ]  # fmt: skip


def test_a_folder_that_is_not_there_or_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    for name, why in (("none", "No such file"), ("file", "Not a directory")):
        with pytest.raises(CxrbenchError, match=f"cannot be listed: .*{why}"):
            list_files(str(tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_only_a_folder_of_data_must_be_readable(tmp_path):
    touch(tmp_path, "a/x.jpg", "lost+found/y")
    (tmp_path / "lost+found").chmod(0)
    try:
        assert list_files(tmp_path) == ([f"{tmp_path}/a/x.jpg"], 0)
    finally:
        (tmp_path / "lost+found").chmod(0o700)
