"""Mendeley, GitHub and Zenodo, as a server laid out as they are hands them out."""

import hashlib
import io
import re
import zipfile

import numpy as np
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.fetch import open_access
from cxrbench.cohorts.listing import TOOL_FILES
from cxrbench.cohorts.sources import covid19, kaggle, medmnist
from tests.cohorts.fetch.server import NO_STALL, Server, answer, cut, redirect


def zipped(comment=b"", **files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = comment
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def arrays(size_px=28):
    content = {}
    for part in ("train", "val", "test"):
        content[f"{part}_images"] = np.random.default_rng(0).integers(0, 256, (2, size_px, size_px), dtype=np.uint8)
        content[f"{part}_labels"] = np.array([[0], [1]], np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    return buffer.getvalue()


KERMANY = zipped(
    **{
        "chest_xray/train/NORMAL/NORMAL-1-1.jpeg": b"n" * 900,
        "chest_xray/test/PNEUMONIA/person1_virus_6.jpeg": b"p" * 900,
        "__MACOSX/chest_xray/train/NORMAL/._NORMAL-1-1.jpeg": bytes.fromhex("00051607"),
    }
)
COMMIT = "c0ffee" + "0" * 34
COVID = zipped(
    COMMIT.encode(),
    **{
        f"covid-chestxray-dataset-{COMMIT}/metadata.csv": "finding,view,filename\nCOVID-19,PA,a.png\n",
        f"covid-chestxray-dataset-{COMMIT}/images/a.png": b"x",
    },
)


def mendeley(server, folder, body=KERMANY, sha256=None):
    checksum = sha256 or hashlib.sha256(body).hexdigest()
    return open_access.mendeley(
        folder, url=server.url("/file_downloaded"), size_bytes=len(body), sha256=checksum, patience=NO_STALL
    )


def test_the_publishers_archive_comes_over_its_redirect_goes_on_after_a_cut_and_is_read(tmp_path):
    with Server({"/file_downloaded": b"", "/bucket/ChestXRay2017.zip": KERMANY}) as server:
        server.script("/file_downloaded", *[redirect("/bucket/ChestXRay2017.zip?signature=abc")] * 3)
        server.script("/bucket/ChestXRay2017.zip", cut(after=200))
        root = mendeley(server, tmp_path)
        assert server.ranges("/bucket/ChestXRay2017.zip") == [None, "bytes=200-"]
        listing = kaggle.read(root)
        assert {(one.image_id, one.label) for one in listing.images} == {
            ("train/NORMAL/NORMAL-1-1", "normal"),
            ("test/PNEUMONIA/person1_virus_6", "pneumonia"),
        }
        assert listing.skipped[TOOL_FILES] == 1
        before = len(server.seen)
        assert mendeley(server, tmp_path) == root
        assert len(server.seen) == before  # fetched and unpacked once
    assert [path.name for path in tmp_path.iterdir()] == ["ChestXRay2017"]  # the archive went when it was unpacked


def test_an_archive_of_another_content_is_refused_and_nothing_is_unpacked(tmp_path):
    with Server({"/file_downloaded": KERMANY}) as server, pytest.raises(CxrbenchError, match="has sha256 "):
        mendeley(server, tmp_path, sha256="0" * 64)
    assert not (tmp_path / "ChestXRay2017").exists()


def github(server, folder, commit=COMMIT):
    return open_access.github(folder, base_url=server.url(""), commit=commit, patience=NO_STALL)


def test_the_covid_collection_comes_as_github_packs_it_without_a_length(tmp_path):
    with Server({f"/{COMMIT}.zip": COVID}) as server:
        server.script(f"/{COMMIT}.zip", answer(length="chunked", ranges=False, etag=None))
        root = github(server, tmp_path)
        (image,) = covid19.read(root).images
    assert (image.label, image.path.read_bytes()) == ("covid", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["covid-chestxray-dataset-c0ffee0"]


def test_a_covid_archive_cut_short_comes_again_from_its_start(tmp_path):
    with Server({f"/{COMMIT}.zip": COVID}) as server:
        server.script(f"/{COMMIT}.zip", answer(length="chunked", ranges=False, etag=None, after=100))
        github(server, tmp_path)
        assert server.ranges(f"/{COMMIT}.zip") == [None, None]


def test_the_collection_of_another_commit_is_refused_and_not_kept(tmp_path):
    other = "b" * 40
    with Server({f"/{other}.zip": COVID}) as server:
        with pytest.raises(CxrbenchError, match=f"is an archive of commit '{COMMIT}', not of '{other}'"):
            github(server, tmp_path, other)
        assert list(tmp_path.iterdir()) == []


def test_a_copy_of_another_commit_is_not_taken_for_the_pinned_one(tmp_path):
    (tmp_path / "covid-chestxray-dataset").mkdir()  # where the moving branch was unpacked to
    with Server({f"/{COMMIT}.zip": COVID}) as server:
        assert len(covid19.read(github(server, tmp_path)).images) == 1


def test_the_collection_is_pinned_to_a_commit():
    assert re.fullmatch("[0-9a-f]{40}", open_access.GITHUB_COMMIT)
    assert "master" not in open_access.GITHUB_URL


@pytest.mark.parametrize(("size_px", "name"), [(28, "pneumoniamnist"), (64, "pneumoniamnist_64")])
def test_pneumoniamnist_comes_in_its_size_and_is_written_out_once(tmp_path, size_px, name):
    body = arrays(size_px)
    with Server({f"/{name}.npz": body}) as server:
        for _ in range(2):
            root = open_access.zenodo(
                tmp_path, size_px, base_url=server.url(""), md5=hashlib.md5(body).hexdigest(), patience=NO_STALL
            )
        assert len(server.seen) == 1
    assert len(medmnist.read(root).images) == 6


def test_arrays_of_another_checksum_than_the_published_are_refused(tmp_path):
    with Server({"/pneumoniamnist.npz": arrays()}) as server, pytest.raises(CxrbenchError, match="28209eda62fecd6e"):
        open_access.zenodo(tmp_path, 28, base_url=server.url(""), patience=NO_STALL)
    assert list(tmp_path.glob("pneumoniamnist")) == []


def test_every_size_has_a_published_checksum():
    from cxrbench.config.cohort import MEDMNIST_SIZES

    assert set(open_access.ZENODO_MD5) == set(MEDMNIST_SIZES)
    assert {len(digits) for digits in open_access.ZENODO_MD5.values()} == {32}
    assert len(open_access.MENDELEY_SHA256) == 64
