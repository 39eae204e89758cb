"""A fetch ends with the whole file or with one sentence, whatever the server does."""

import hashlib
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.base.fetch.http import Patience, fetch_file
from tests.cohorts.fetch.one_file import BODY, MD5, PATH, SHA256, fetch, left, refusal
from tests.cohorts.fetch.server import NO_STALL, QUICK, Server, answer, cut, reset, stall, status


@pytest.fixture
def server():
    with Server({PATH: BODY}) as running:
        yield running
    assert running.errors == []


def test_a_file_comes_whole_and_nothing_else_stays(server, tmp_path):
    target = tmp_path / "new" / "cohort.zip"
    assert fetch(server, target, size_bytes=len(BODY), sha256=SHA256.upper(), md5=MD5) == target
    assert target.read_bytes() == BODY
    assert left(target.parent) == ["cohort.zip"]


@pytest.mark.parametrize(
    "trouble",
    [
        reset(100_000),
        reset(0),
        cut(100_000),
        cut(0),
        status(500),
        status(502),
        status(503, {"Retry-After": "not a number"}),
        status(429),
        answer(length="chunked", after=100_100),
        answer(after=100_000, length="chunked", ending="reset"),
    ],
)
@pytest.mark.parametrize("known", [{}, {"size_bytes": len(BODY)}, {"sha256": SHA256}, {"md5": MD5}])
def test_a_broken_answer_is_asked_again(server, tmp_path, trouble, known):
    server.script(PATH, trouble, trouble)
    assert fetch(server, tmp_path / "f", **known).read_bytes() == BODY
    assert left(tmp_path) == ["f"]


@pytest.mark.parametrize("claimed", [len(BODY) + 5, 10**15])
@pytest.mark.parametrize("known", [{}, {"sha256": SHA256}])
def test_a_length_that_is_claimed_and_does_not_come_is_asked_again(server, tmp_path, claimed, known):
    server.script(PATH, answer(length=claimed), answer(ranges=False))
    assert fetch(server, tmp_path / "f", **known).read_bytes() == BODY


def test_a_stall_ends_at_the_read_timeout_and_the_fetch_goes_on_from_there(server, tmp_path):
    server.script(PATH, stall(100_000), stall(0))
    assert fetch(server, tmp_path / "f", patience=QUICK).read_bytes() == BODY
    assert server.ranges(PATH) == [None, "bytes=100000-", "bytes=100000-"]


def test_a_cut_body_goes_on_from_its_last_byte_and_names_the_version_it_has(server, tmp_path):
    server.script(PATH, cut(100_000), cut(50_001))
    assert fetch(server, tmp_path / "f").read_bytes() == BODY
    assert server.ranges(PATH) == [None, "bytes=100000-", "bytes=150001-"]
    assert server.seen[2].headers["if-range"] == f'"{hashlib.sha1(BODY).hexdigest()}"'


@settings(max_examples=40)
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, 5000), st.sampled_from(["close", "reset", "ignored", "chunked", "error", "changed"])),
        max_size=7,
    ),
    known=st.booleans(),
)
def test_wherever_the_body_is_cut_the_bytes_are_those_of_one_version(cuts, known):
    body, other = BODY[:4000], BODY[4000:8000]
    kinds = {
        "close": lambda after: cut(after),
        "reset": lambda after: reset(after),
        "ignored": lambda after: answer(after=after, ranges=False),
        "chunked": lambda after: answer(after=after, length="chunked"),
        "error": lambda after: status(503),
        "changed": lambda after: answer(after=min(after, 3999), body=other),
    }
    with Server({"/f": body}) as server, tempfile.TemporaryDirectory() as folder:
        server.script("/f", *(kinds[kind](after) for after, kind in cuts))
        sha256 = hashlib.sha256(body).hexdigest() if known else None
        target = fetch_file(server.url("/f"), Path(folder) / "f", sha256=sha256, patience=NO_STALL)
        assert target.read_bytes() in ((body,) if known else (body, other))
        assert server.errors == []


def test_a_server_that_ignores_ranges_starts_the_file_again(server, tmp_path):
    server.script(PATH, cut(100_000), answer(ranges=False))
    heard = []
    fetch(server, tmp_path / "f", advance=lambda count, name: heard.append(count))
    assert (tmp_path / "f").read_bytes() == BODY
    assert sum(heard) == len(BODY)
    assert min(heard) == -100_000


@pytest.mark.parametrize("known", [{}, {"sha256": SHA256}])
def test_a_file_that_changes_between_two_attempts_is_never_mixed(server, tmp_path, known):
    server.script(PATH, answer(body=BODY[::-1], after=100_000))
    assert fetch(server, tmp_path / "f", **known).read_bytes() == BODY


def test_a_range_that_starts_elsewhere_is_not_written(server, tmp_path):
    server.script(PATH, cut(100_000), answer(shift=1))
    assert fetch(server, tmp_path / "f").read_bytes() == BODY


def test_a_range_of_another_version_is_not_written(server, tmp_path):
    server.script(PATH, answer(after=100_000, body=BODY[::-1]), answer(if_range=False))
    assert fetch(server, tmp_path / "f").read_bytes() == BODY


def test_a_version_is_a_strong_etag_or_else_a_date(server, tmp_path):
    date = {"Last-Modified": "Sat, 21 Nov 2026 12:00:00 GMT"}
    server.script(PATH, answer(after=9, etag='W/"1"'), answer(after=9, etag='W/"1"', headers=date), answer(after=9))
    assert fetch(server, tmp_path / "f").read_bytes() == BODY
    tag = f'"{hashlib.sha1(BODY).hexdigest()}"'
    assert [seen.headers.get("if-range") for seen in server.seen] == [None, None, date["Last-Modified"], tag]


def test_a_joined_file_with_a_wrong_checksum_is_fetched_once_more_in_one_go(server, tmp_path):
    (tmp_path / "f.part").write_bytes(b"x" * 1000)
    assert fetch(server, tmp_path / "f", sha256=SHA256).read_bytes() == BODY
    assert server.ranges(PATH) == ["bytes=1000-", None]


def test_an_old_part_without_version_or_checksum_is_not_trusted(server, tmp_path):
    (tmp_path / "f.part").write_bytes(b"x" * 1000)
    assert fetch(server, tmp_path / "f").read_bytes() == BODY
    assert server.ranges(PATH) == [None]


@pytest.mark.parametrize("there", [BODY, BODY + b"x"])
def test_a_part_that_is_whole_or_too_long_already_ends_well(server, tmp_path, there):
    (tmp_path / "f.part").write_bytes(there)
    assert fetch(server, tmp_path / "f", sha256=SHA256).read_bytes() == BODY
    assert len(server.seen) == (1 if there == BODY else 2)


def test_a_damaged_version_note_costs_a_restart_and_no_more(server, tmp_path):
    (tmp_path / "f.part").write_bytes(BODY[:1000])
    (tmp_path / "f.part.version").write_bytes(b"\xff\x00\r\nX-Evil: 1")
    assert fetch(server, tmp_path / "f").read_bytes() == BODY


def test_what_is_there_and_fits_is_not_asked_for(server, tmp_path):
    target = tmp_path / "f"
    target.write_bytes(BODY)
    heard = []
    for known in ({}, {"size_bytes": len(BODY)}, {"sha256": SHA256}, {"md5": MD5}):
        fetch(server, target, advance=lambda count, name: heard.append(count), **known)
    assert server.seen == []
    assert heard == [len(BODY)] * 4


@pytest.mark.parametrize("known", [{"size_bytes": len(BODY)}, {"sha256": SHA256}])
def test_what_is_there_and_does_not_fit_is_replaced(server, tmp_path, known):
    target = tmp_path / "f"
    target.write_bytes(b"x")
    assert fetch(server, target, **known).read_bytes() == BODY


def test_a_server_that_never_recovers_is_given_up_and_the_part_is_kept(server, tmp_path):
    server.script(PATH, cut(1000), *[status(503)] * 99)
    waits = []
    patience = Patience(attempts=5, wait=waits.append)
    said = refusal(server, tmp_path / "f", patience=patience)
    assert "503, 5 times in a row, the last at byte 1,000" in said
    assert waits == [1, 1, 2, 4, 8]  # the first for the cut, which had brought bytes
    assert (tmp_path / "f.part").read_bytes() == BODY[:1000]
    server.script(PATH)
    assert fetch(server, tmp_path / "f").read_bytes() == BODY
    assert server.ranges(PATH)[-1] == "bytes=1000-"


def test_a_server_that_restarts_and_cuts_for_ever_is_given_up(server, tmp_path):
    server.script(PATH, *[answer(after=1000, ranges=False), answer(after=500, ranges=False)] * 99)
    assert "in a row" in refusal(server, tmp_path / "f")
    assert len(server.seen) < 12


def test_attempts_begin_anew_with_each_byte_further(server, tmp_path):
    server.script(PATH, *[cut(10_000)] * 29)
    assert fetch(server, tmp_path / "f", patience=Patience(attempts=2, wait=lambda seconds: None)).read_bytes() == BODY


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_obeyed_up_to_ten_minutes(server, tmp_path, code):
    waits = []
    server.script(
        PATH, status(code, {"Retry-After": "17"}), status(code, {"Retry-After": formatdate(time.time() + 99)})
    )
    fetch(server, tmp_path / "f", patience=Patience(wait=waits.append))
    assert waits[0] == 17
    assert 60 < waits[1] <= 99
    server.script(PATH, status(code, {"Retry-After": "86400"}))
    assert "left alone for 86,400 s" in refusal(server, tmp_path / "g")


def test_a_disk_that_takes_no_more_is_one_sentence_and_keeps_the_part(server, tmp_path):
    code = f"""
import resource, signal
from pathlib import Path
from cxrbench.base.fetch.http import fetch_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
fetch_file({server.url(PATH)!r}, Path({str(tmp_path / "g")!r}))
"""
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True)
    assert "cannot be written to" in done.stderr.splitlines()[-1]
    assert (tmp_path / "g.part").read_bytes() == BODY[:100_000]


def test_a_killed_fetch_goes_on_where_it_was(server, tmp_path):
    server.script(PATH, stall(200_000))
    code = f"""
from pathlib import Path
from cxrbench.base.fetch.http import fetch_file
fetch_file({server.url(PATH)!r}, Path({str(tmp_path / "f")!r}), advance=lambda count, name: print(count, flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        come = 0
        while come < 200_000:
            come += int(child.stdout.readline())
        child.kill()
    assert not (tmp_path / "f").exists()
    assert fetch(server, tmp_path / "f").read_bytes() == BODY
    assert server.ranges(PATH) == [None, "bytes=200000-"]
    assert left(tmp_path) == ["f"]
