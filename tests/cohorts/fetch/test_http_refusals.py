"""What is wrong for good is refused at once, in one sentence that says what to do."""

import ssl

import pytest
import requests

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch.answer import network_failure
from cxrbench.base.fetch.http import fetch_file
from tests.cohorts.fetch.one_file import BODY, MD5, PATH, SHA256, fetch, left, refusal
from tests.cohorts.fetch.server import QUICK, Server, answer, redirect, status


@pytest.fixture
def server():
    with Server({PATH: BODY}) as running:
        yield running
    assert running.errors == []


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_wrong_checksum_is_refused_with_both_sums_and_leaves_nothing(server, tmp_path, kind):
    wrong = "0" * len({"sha256": SHA256, "md5": MD5}[kind])
    said = refusal(server, tmp_path / "f", **{kind: wrong})
    assert wrong in said
    assert {"sha256": SHA256, "md5": MD5}[kind] in said
    assert left(tmp_path) == []


def test_a_wrong_size_is_refused_before_the_body_comes(server, tmp_path):
    said = refusal(server, tmp_path / "f", size_bytes=5)
    assert "300,000" in said
    assert "5 expected" in said


def test_a_body_without_end_is_stopped_at_the_size_it_should_have(server, tmp_path):
    server.script(PATH, answer(length="chunked"))
    assert "goes on after the 1,000 bytes" in refusal(server, tmp_path / "f", size_bytes=1000)
    assert left(tmp_path) == []


def test_a_body_of_unknown_length_is_taken_only_where_a_cut_would_be_seen(server, tmp_path):
    server.script(PATH, answer(length=None))
    assert "without its length" in refusal(server, tmp_path / "f")
    server.script(PATH, answer(length=None, after=7), answer(length=None))
    assert fetch(server, tmp_path / "f", size_bytes=len(BODY)).read_bytes() == BODY


def test_a_short_body_that_claims_to_be_whole_is_refused_by_its_checksum(server, tmp_path):
    server.script(PATH, answer(body=BODY[:500]))
    assert "sha256" in refusal(server, tmp_path / "f", sha256=SHA256)


def test_an_empty_file_is_a_file(server, tmp_path):
    server.files[PATH] = b""
    assert fetch(server, tmp_path / "f", size_bytes=0).read_bytes() == b""


@pytest.mark.parametrize(
    ("code", "word"), [(404, "does not exist"), (410, "does not exist"), (400, "400"), (204, "204")]
)
def test_what_no_attempt_can_mend_is_said_at_once(server, tmp_path, code, word):
    server.script(PATH, status(code, body=b""))
    said = refusal(server, tmp_path / "f")
    assert word in said
    assert server.url(PATH) in said
    assert len(server.seen) == 1


def test_a_page_in_place_of_the_file_is_refused(server, tmp_path):
    server.script(PATH, answer(body=b"<html>sign in", headers={"Content-Type": "text/html; charset=utf-8"}))
    assert "web page instead of the file; set X" in refusal(server, tmp_path / "f", needs="set X")
    server.script(PATH, answer(headers={"Content-Encoding": "gzip"}))
    assert "compressed" in refusal(server, tmp_path / "f")


def test_redirects_are_followed_and_a_circle_ends(server, tmp_path):
    server.script("/old", redirect(PATH))
    assert fetch_file(server.url("/old"), tmp_path / "f").read_bytes() == BODY
    server.script(PATH, *[redirect(PATH)] * 40)
    assert "redirects without end" in refusal(server, tmp_path / "g")
    server.script(PATH, redirect("file:///etc/passwd"))
    assert "no http(s) address" in refusal(server, tmp_path / "g")


@pytest.mark.parametrize("url", ["ftp://host/f", "file:///etc/passwd", "host/f", "http://", "https://[bad/f", ""])
def test_only_http_addresses_are_fetched(tmp_path, url):
    with pytest.raises(CxrbenchError, match="http"):
        fetch_file(url, tmp_path / "f")


def test_a_host_that_is_not_there_is_one_sentence(tmp_path):
    with Server() as gone:
        url = gone.url("/f")
    with pytest.raises(CxrbenchError, match="the connection was refused, 8 times in a row"):
        fetch_file(url, tmp_path / "f", patience=QUICK)


def test_a_disk_that_cannot_be_written_is_one_sentence(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert "cannot be" in refusal(server, tmp_path / "file" / "f")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CxrbenchError, match="is a folder"):
        fetch(server, tmp_path / "folder")


def test_a_certificate_that_is_not_trusted_is_final_and_says_how_to_trust_it():
    failure = network_failure(requests.exceptions.SSLError(ssl.SSLCertVerificationError("secret")), 5)
    assert failure.final
    assert "not trusted; set REQUESTS_CA_BUNDLE" in str(failure)
    unknown = network_failure(requests.exceptions.RequestException("secret"), 5)
    assert (unknown.final, "secret" in str(unknown)) == (False, False)
