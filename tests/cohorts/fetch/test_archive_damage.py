"""A bomb, a lie in a header or a damaged byte ends in one sentence and leaves nothing behind."""

import os
import random
import shutil
import zipfile

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.fetch.archive import Limits, unpack
from tests.cohorts.fetch.archives import forge_sizes, pack, refusal, tree

HONEST = {"a/NORMAL/1.jpeg": b"one" * 999, "ü.csv": b"x,y\n"}


def test_an_encrypted_member_is_refused_by_name(tmp_path):
    archive = pack(tmp_path / "a.zip", {"secret.jpg": b"x" * 99})
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert "member 'secret.jpg' is encrypted" in refusal(archive)


def test_a_packing_method_that_python_lacks_is_named(tmp_path):
    archive = pack(tmp_path / "a.zip", {"big.jpg": b"x" * 99})
    data = bytearray(archive.read_bytes())
    data[8] = data[data.index(b"PK\x01\x02") + 10] = 9  # Deflate64, as Windows packs what is above 2 GB
    archive.write_bytes(data)
    assert "method 9" in refusal(archive)


def test_a_real_bomb_that_declares_its_size_is_refused_before_anything_is_made(tmp_path):
    archive = pack(tmp_path / "a.zip", {"bomb": bytes(140 << 20)})
    assert archive.stat().st_size < 200_000
    assert "would unpack to 146,800,640 bytes, above 134,217,728, as a bomb does" in refusal(archive)


def test_a_bomb_is_known_by_its_ratio(tmp_path):
    archive = pack(tmp_path / "a.zip", {"bomb": bytes(9 << 20)})
    unpack(archive, tmp_path / "fine")
    shutil.rmtree(tmp_path / "fine")
    assert "bomb" in refusal(archive, limits=Limits(small_bytes=1 << 20))
    assert "bomb" in refusal(archive, limits=Limits(total_bytes=1 << 20))


def test_a_zip_bomb_that_declares_less_writes_no_more_than_it_declares(tmp_path):
    archive = forge_sizes(pack(tmp_path / "a.zip", {"bomb": bytes(50_000_017)}), 50_000_017, 1000)
    assert "damaged" in refusal(archive)


def test_a_zip_that_declares_more_than_it_holds_is_refused(tmp_path):
    assert "a.zip is not unpacked" in refusal(
        forge_sizes(pack(tmp_path / "a.zip", {"f": b"x" * 77_777}), 77_777, 99_999)
    )


def test_members_that_share_their_bytes_count_each(tmp_path):
    """David Fifield's bomb: many entries of the central directory over one piece of data."""
    archive = pack(tmp_path / "a.zip", {"0000": bytes(30 << 20)})
    data = archive.read_bytes()
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[at:end]
    entries = b"".join(entry.replace(b"0000", b"%04d" % n) for n in range(9))
    tail = data[end : end + 8] + (9).to_bytes(2, "little") * 2 + len(entries).to_bytes(4, "little") + data[end + 16 :]
    archive.write_bytes(data[:at] + entries + tail)
    assert "bomb" in refusal(archive)


def test_too_many_members_are_a_bomb(tmp_path):
    archive = pack(tmp_path / "a.zip", {f"{n}": b"" for n in range(11)})
    assert "more than 10 members" in refusal(archive, limits=Limits(members=10))
    unpack(archive, tmp_path / "out", limits=Limits(members=11))


def test_an_archive_without_room_for_it_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5}))
    archive = pack(tmp_path / "a.zip", HONEST)
    with pytest.raises(CxrbenchError, match="5 bytes free, but 3,001 are"):
        unpack(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == [archive.name]


def test_an_archive_cut_anywhere_is_refused(tmp_path):
    whole = pack(tmp_path / "a.zip", {f"{n}": random.Random(n).randbytes(700) for n in range(4)}).read_bytes()
    used = len(whole)
    for length in [0, 1, 2, 3, 4, 100, 511, 512, 513, 1536, used // 2, used - 600, used - 1]:
        (tmp_path / "a.zip").write_bytes(whole[:length])
        refusal(tmp_path / "a.zip")


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_byte_is_refused_or_harmless(tmp_path, seed):
    files = {f"d{n}/{n}.jpg": random.Random(n).randbytes(90) for n in range(3)}
    archive, chance = pack(tmp_path / "a.zip", files), random.Random(seed)
    whole = archive.read_bytes()
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 3, 20))):
            data[chance.randrange(min(len(data), 4000))] = chance.randrange(256)
        archive.write_bytes(data)
        try:
            written = tree(unpack(archive, tmp_path / "out"))
        except CxrbenchError:
            refused += 1
            assert os.listdir(tmp_path) == [archive.name]
        else:
            assert written == files
            shutil.rmtree(tmp_path / "out")
    assert refused > 10


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>sign in</html>", b"\x89PNG\r\n\x1a\n" + bytes(600), b"Rar!\x1a\x07\x01", b"\x1f\x8b\x08tar.gz"],
)
def test_what_is_no_archive_is_said_so(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    assert "it is no zip archive" in refusal(tmp_path / "a.zip")


def test_an_archive_that_is_not_there_and_a_folder_that_cannot_be_made_are_one_sentence(tmp_path):
    with pytest.raises(CxrbenchError, match="No such file"):
        unpack(tmp_path / "gone.zip", tmp_path / "out")
    (tmp_path / "file").write_bytes(b"")
    archive = pack(tmp_path / "a.zip", HONEST)
    for folder in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(CxrbenchError, match="cannot be unpacked to"):
            unpack(archive, folder)
    long_name = pack(tmp_path / "b.zip", {"n" * 300: b"x"})
    with pytest.raises(CxrbenchError, match="too long"):
        unpack(long_name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_crc_that_does_not_fit_names_the_member(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("good.jpg", b"g" * 50)
        packed.writestr("bad.jpg", b"b" * 50)
    archive.write_bytes(archive.read_bytes().replace(b"b" * 50, b"c" * 50))
    assert "bad.jpg" in refusal(archive)
