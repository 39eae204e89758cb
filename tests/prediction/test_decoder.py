"""The bytes of an image are seen as its file would be, and no bytes cost more than their own image."""

import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from cxrbench.images.decode import load_square
from cxrbench.images.limits import Undecodable
from cxrbench.prediction import decoder
from cxrbench.prediction.decoder import Decoders
from cxrbench.prediction.look import Look, Shapes
from tests.images.damage import whole_files

SHAPES = Shapes(24, "pad", 16, "trim")


def png(width=40, height=40):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width), np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def decoders():
    return Decoders(SHAPES, workers=1)


def test_bytes_of_every_format_are_seen_as_their_file_is(decoders, tmp_path):
    kinds = whole_files()
    for (kind, data), seen in zip(kinds.items(), decoders.looks(list(kinds.values()))):
        (tmp_path / "file").write_bytes(data)
        assert isinstance(seen, Look), (kind, seen)
        assert np.array_equal(seen.square, load_square(tmp_path / "file", 24, "pad")), kind
        assert np.array_equal(seen.view, load_square(tmp_path / "file", 16, "trim")), kind


def test_each_bad_image_says_why_and_the_next_is_seen(decoders):
    enormous = Image.new("1", (20_000, 20_000))
    file = io.BytesIO()
    enormous.save(file, "PNG")
    bad = [b"", b"dear colleague", png()[:-800], file.getvalue(), png(10, 10)]
    seen = decoders.looks([*bad, png()])
    reasons = [one.reason for one in seen[:-1]]
    assert reasons == ["empty", "not an image", "truncated", "too large", "too small"]
    assert isinstance(seen[-1], Look)


def test_an_image_over_the_limit_is_not_decoded(monkeypatch):
    monkeypatch.setattr(decoder, "MAX_BYTES", 10)
    monkeypatch.setattr(decoder, "_Decoder", None)
    (refused,) = Decoders(SHAPES, 1).looks([bytes(11)])
    assert (refused.reason, refused.detail) == ("too large", "11 bytes; at most 10 in a request")


@pytest.mark.parametrize(("does", "reason"), [("sys.exit(3)", "decoder crashed"), ("time.sleep(60)", "takes too long")])
def test_a_decoder_that_dies_or_hangs_costs_its_image_alone(monkeypatch, does, reason):
    """A program takes the decoder's place that does so when it has read its first image."""
    code = "import sys, time\nfrom multiprocessing.connection import Connection\npipe = Connection({})\n"
    code += f"pipe.send_bytes(b''); pipe.recv_bytes(); {does}"
    begun = []

    def start(command, **options):
        begun.append(command)
        if len(begun) == 1:
            command = [sys.executable, "-c", code.format(command[3])]
        return real(command, **options)

    real = subprocess.Popen
    monkeypatch.setattr(decoder.subprocess, "Popen", start)
    decoders = Decoders(SHAPES, 1, limit_seconds=3)
    lost, seen = decoders.looks([png(), png()])
    assert isinstance(lost, Undecodable)
    assert lost.reason == reason
    assert isinstance(seen, Look)
    assert len(begun) == 2


def test_a_decoder_ends_with_the_process_that_started_it(tmp_path):
    code = (
        "import os\nfrom cxrbench.prediction import decoder\nfrom cxrbench.prediction.look import Shapes\n"
        "one = decoder._Decoder(Shapes(24, 'pad'))\nprint(one._process.pid, flush=True)\n"
        "one.ask('x', b'', 60)\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}/stat") and time.monotonic() < deadline:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            if file.read().split()[2] == "Z":
                return
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")
