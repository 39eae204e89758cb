"""Decoding runs beside the network: in order, bounded, and a file that cannot be used costs that file alone."""

import math
from threading import Condition, Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.images.decode import Undecodable
from cxrbench.images.parallel import Lost
from cxrbench.views import stream

SIZE = 2


def mean_of(images):
    return images.mean(axis=(1, 2, 3)) / 255


def square(grey):
    return np.full((SIZE, SIZE), grey, np.uint8)


@settings(max_examples=50)
@given(st.lists(st.one_of(st.integers(0, 255), st.sampled_from(["refused", "lost"])), max_size=200))
def test_every_file_gets_its_own_score_or_refusal_in_order(kinds):
    results = [
        square(kind) if isinstance(kind, int)
        else Lost("decoder crashed", "signal") if kind == "lost" else Undecodable(f"f{k}", "empty", "0 bytes")
        for k, kind in enumerate(kinds)
    ]  # fmt: skip
    sizes = []

    def score(images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (SIZE, SIZE, 1)
        sizes.append(len(images))
        return mean_of(images)

    found = list(stream.score_squares(((f"f{k}", each) for k, each in enumerate(results)), score, SIZE))
    assert [each.path for each in found] == [f"f{k}" for k in range(len(kinds))]
    assert max(sizes, default=0) <= stream.BATCH
    for kind, each in zip(kinds, found):
        if isinstance(kind, int):
            assert (each.score, each.refusal) == (kind / 255, None)
        else:
            assert math.isnan(each.score)
            assert each.refusal.reason == {"refused": "empty", "lost": "decoder crashed"}[kind]


def test_no_more_squares_wait_for_a_slow_network_than_the_bound(monkeypatch):
    monkeypatch.setattr(stream, "BATCH", 4)
    monkeypatch.setattr(stream, "WAITING_BYTES", 3 * 4 * SIZE**2)
    bound, total = (3 + 1) * 4, 120
    drawn, taken, most = 0, 0, 0
    moved = Condition()

    def source():
        nonlocal drawn, most
        for k in range(total):
            with moved:
                drawn += 1
                most = max(most, drawn - taken)
                moved.notify_all()
            yield f"f{k}", square(k)

    def slow(images):  # the network answers only when all that may wait does
        with moved:
            assert moved.wait_for(lambda: drawn == total or drawn - taken >= bound, timeout=20)
        return mean_of(images)

    for _ in stream.score_squares(source(), slow, SIZE):
        with moved:
            taken += 1
    assert taken == total
    assert most == bound


def test_an_error_of_the_network_reaches_the_caller_before_all_files_are_decoded():
    drawn = []

    def source():
        for k in range(stream.BATCH * 2000):
            drawn.append(k)
            yield f"f{k}", square(0)

    def broken(images):
        raise CxrbenchError("the model cannot be used")

    with pytest.raises(CxrbenchError, match="the model cannot be used"):
        list(stream.score_squares(source(), broken, 64))
    assert len(drawn) < stream.BATCH * 2000


def test_leaving_early_waits_for_no_answer():
    left = Event()
    waited = []

    def score(images):
        if images[0, 0, 0, 0]:  # the second batch, which nobody will want
            waited.append(left.wait(timeout=20))
        return mean_of(images)

    results = ((f"f{k}", square(k // stream.BATCH)) for k in range(2 * stream.BATCH))
    squares = stream.score_squares(results, score, SIZE)
    assert next(squares).path == "f0"
    squares.close()
    left.set()
    assert waited in ([], [True])


def test_a_file_that_is_not_the_one_the_manifest_has_is_an_error(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (40, 40), 200).save(path)
    assert (stream._square(stream.File(str(path), "squash"), 16) == 200).all()
    with pytest.raises(CxrbenchError, match=r"a\.png has changed since the manifest was made"):
        stream._square(stream.File(str(path), "squash", "0" * 64), 16)


def test_no_files_need_no_network():
    assert list(stream.score_files([], model=None, workers=2)) == []
