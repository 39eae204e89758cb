"""kagglehub itself against a server in Kaggle's place."""

import base64
import functools
import hashlib
import io
import traceback
import zipfile

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.fetch import kaggle_hub
from cxrbench.cohorts.sources import kaggle
from tests.cohorts.fetch import server as misbehaving
from tests.cohorts.fetch.server import Server, answer, redirect, status

pytestmark = pytest.mark.slow
CALL = "/v1/datasets.DatasetApiService/DownloadDataset"
BUCKET = "/bucket/archive.zip"
TOKEN = "KGAT_s3cret"


@functools.cache
def archive():
    """Made once: a zip holds the time of its making, and the answers' checksums are of these very bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        content.writestr("chest_xray/train/NORMAL/IM-0115-0001.jpeg", b"n" * 1_500_000)
        content.writestr("chest_xray/chest_xray/train/NORMAL/IM-0115-0001.jpeg", b"n" * 1_500_000)
    return buffer.getvalue()


@pytest.fixture
def kaggles(monkeypatch, tmp_path):
    """A server that kagglehub takes for Kaggle, for the user of ``TOKEN``; its answers are scripted by the test."""
    from kagglesdk import kaggle_env

    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_ENVIRONMENT", "KAGGLE_KERNEL_RUN_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no-config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(misbehaving.Handler, "do_POST", post, raising=False)
    with Server({BUCKET: archive(), CALL: b""}) as server:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, server.url(""))
        yield server


def post(handler):
    """kagglehub calls its API by POST, with a body to be read off first."""
    handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    handler.do_GET()


def good(content=None, **wrong):
    """The bucket's answer, with the checksum of the archive whatever ``content`` is sent in its place."""
    digest = base64.b64encode(hashlib.md5(archive()).digest()).decode()
    return answer(headers={"Accept-Ranges": "bytes", "X-Goog-Hash": f"md5={digest}"}, body=content, **wrong)


def fetch():
    return kaggle_hub.fetch(wait=lambda seconds: None)


def test_the_archive_comes_with_the_users_token_and_is_read(kaggles):
    kaggles.script(CALL, redirect(BUCKET))
    kaggles.script(BUCKET, good())
    root = fetch()
    assert [one.image_id for one in kaggle.read(root).images] == ["train/NORMAL/IM-0115-0001"]
    assert kaggles.seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    before = len(kaggles.seen)
    assert fetch() == root
    assert len(kaggles.seen) == before  # it lies in kagglehub's cache


def test_a_download_that_breaks_off_goes_on_and_a_wrong_checksum_comes_again(kaggles):
    kaggles.script(CALL, *[redirect(BUCKET)] * 3)
    damaged = archive()[:-1] + b"!"
    kaggles.script(BUCKET, good(after=2_000_000), good(damaged), good(damaged), good())
    root = fetch()
    assert kaggles.ranges(BUCKET) == [None, None, "bytes=1048576-", None]  # it keeps whole mebibytes
    assert len(kaggle.read(root).images) == 1


@pytest.mark.parametrize("code", [401, 403])
def test_a_refusal_says_what_to_set_and_shows_no_token(kaggles, capfd, code):
    kaggles.script(CALL, status(code))
    with pytest.raises(CxrbenchError) as caught:
        fetch()
    for words in (str(code), "KAGGLE_API_TOKEN", "KAGGLE_USERNAME and KAGGLE_KEY", "kaggle.json", "mendeley"):
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + "".join(capfd.readouterr())
    assert len(kaggles.seen) == 1  # another attempt would end the same way


def test_a_server_that_fails_is_tried_again_and_then_named(kaggles):
    kaggles.script(CALL, *[status(503)] * kaggle_hub.ATTEMPTS)
    with pytest.raises(CxrbenchError, match="6 times in a row \\(it answered 503\\)"):
        fetch()
    assert len(kaggles.seen) == kaggle_hub.ATTEMPTS


def test_what_is_no_archive_and_a_broken_kaggle_json_are_one_sentence_each(kaggles, tmp_path, monkeypatch):
    kaggles.script(CALL, redirect(BUCKET))
    kaggles.script(BUCKET, answer(body=b"<html>"))
    with pytest.raises(CxrbenchError, match="kagglehub stopped"):
        fetch()
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "kaggle.json").write_text('{"username": "reader", "key": s3cret')
    with pytest.raises(CxrbenchError, match=r"correct ~/\.kaggle/kaggle\.json") as caught:
        fetch()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
