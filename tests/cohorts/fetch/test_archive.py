"""An archive becomes a whole folder or one sentence, and never a file outside that folder."""

import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.fetch.archive import unpack
from tests.cohorts.fetch.archives import pack, refusal, special_zip, tree

HONEST = {"a/NORMAL/1.jpeg": b"one" * 999, "a/PNEUMONIA/person1_virus_2.jpeg": b"", "empty/": b"", "ü.csv": b"x,y\n"}
HOSTILE = (
    "../x",
    "a/../../x",
    "/x",
    "//x",
    "..",
    "a/..",
    "C:x",
    "c:/x",
    "a\\..\\x",
    "\\x",
    "\\\\host\\x",
    "a\nb",
    "\x1b[2J",
)


def test_an_honest_archive_becomes_its_folder(tmp_path):
    heard = []
    out = unpack(pack(tmp_path / "a.zip", HONEST), tmp_path / "new" / "out", lambda count, name: heard.append(count))
    assert tree(out) == {name: body for name, body in HONEST.items() if not name.endswith("/")}
    assert (out / "empty").is_dir()
    assert sum(heard) == 3
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_no_file_becomes_executable_or_setuid(tmp_path):
    out = unpack(pack(tmp_path / "a.zip", HONEST), tmp_path / "out")
    assert not any(stat.S_IMODE(path.stat().st_mode) & 0o7111 for path in out.rglob("*") if path.is_file())


def test_a_folder_that_is_there_is_taken_and_an_empty_one_is_filled(tmp_path):
    archive = pack(tmp_path / "a.zip", HONEST)
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    (tmp_path / "out" / "mine").write_bytes(b"")
    assert "mine" in tree(unpack(archive, tmp_path / "out"))


def test_what_a_kill_left_is_removed(tmp_path):
    (tmp_path / "out.unpacking" / "a").mkdir(parents=True)
    (tmp_path / "out.unpacking" / "a" / "half").write_bytes(b"x")
    out = unpack(pack(tmp_path / "a.zip", HONEST), tmp_path / "out")
    assert "a/half" not in tree(out)
    assert not (tmp_path / "out.unpacking").exists()


def test_many_nested_members_are_fine(tmp_path):
    files = {f"p{n % 20}/s{n % 40}/{'d/' * (n % 9)}{n}.jpg": b"%d" % n for n in range(2000)}
    assert tree(unpack(pack(tmp_path / "a.zip", files), tmp_path / "out")) == files


def test_dots_and_doubled_slashes_mean_nothing(tmp_path):
    archive = pack(tmp_path / "a.zip", {"./": b"", "./a//b/./c": b"x", "..a/b..": b"y"})
    assert tree(unpack(archive, tmp_path / "out")) == {"a/b/c": b"x", "..a/b..": b"y"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_before_anything_is_made(tmp_path, name):
    said = refusal(pack(tmp_path / "a.zip", [("good", b"x"), (name, b"evil")]))
    assert "member" in said


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=100)
@given(
    names=st.lists(
        st.lists(
            st.sampled_from(
                ["..", ".", "", "a", "A", "b", "C:", "\\", "~", "con", "é", "e\u0301", "\x00", "a\\..\\b", " "]
            ),
            min_size=1,
            max_size=5,
        ).map("/".join),
        min_size=1,
        max_size=4,
    ),
)
def test_no_name_whatever_reaches_outside_the_folder(names):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "deep" / "deeper" / "deepest"
        root.mkdir(parents=True)
        archive = pack(root / "a.zip", [(name, b"%d" % at) for at, name in enumerate(names)])
        try:
            unpack(archive, root / "out")
        except CxrbenchError:
            assert not (root / "out").exists()
        else:
            written = tree(root / "out")
            assert sorted(written.values()) == sorted(b"%d" % at for at, name in enumerate(names) if name[-1:] != "/")
        assert [path.name for path in root.iterdir() if path.name != "out"] == [archive.name]
        assert [path.name for path in Path(name).rglob("*") if path.is_file() and root not in path.parents] == []


@pytest.mark.parametrize("twins", [("x", "x"), ("x", "X"), ("a/x", "./a//x"), ("\u00e9", "e\u0301"), ("A/ß", "a/SS")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path, twins):
    assert "have one name" in refusal(pack(tmp_path / "a.zip", [(name, b"x") for name in twins]))


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "A"), ("a", "a/")])
def test_a_name_that_is_file_and_folder_is_refused(tmp_path, names):
    assert "a file and a folder" in refusal(pack(tmp_path / "a.zip", [(name, b"") for name in names]))


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_a_zip_member_that_is_no_file_is_refused(tmp_path, mode):
    assert "'odd' is a" in refusal(special_zip(tmp_path / "a.zip", mode))
