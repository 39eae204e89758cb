"""Decodes the bytes of image files in processes of their own: bytes that crash or stall a decoder cost one image.

Not multiprocessing's: its processes import the caller's main module again, which a notebook or a script that loads a
model would not expect. Here each is ``python -m cxrbench.prediction.decoder``, which reads images from a pipe. An image
never gets a name on a disk: the readers of files see it as a file in memory.
"""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from typing import BinaryIO

import numpy as np

from cxrbench.images.limits import Undecodable
from cxrbench.prediction.look import Look, Shapes, look

LIMIT_SECONDS = 30.0  # for one image; MLflow's server gives up a request after 60
MAX_BYTES = 64 * 2**20  # of one image: a server holds it several times
REFUSED, SEEN = b"\0", b"\1"  # the first byte of an answer


class Decoders:
    """At most ``workers`` processes that decode for ``shapes``; they start when they are needed and end with this one.

    May be used by several threads at once.
    """

    def __init__(self, shapes: Shapes, workers: int, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._shapes, self._limit = shapes, limit_seconds
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decoder")
        self._idle: list[_Decoder] = []  # append and pop are atomic

    def looks(self, images: Sequence[bytes]) -> list[Look | Undecodable]:
        """What is to be seen in each image, or why it cannot be used; their number names them in a refusal."""
        names = [f"image {number}" for number in range(len(images))]
        return list(self._threads.map(self._look, names, images))

    def _look(self, name: str, data: bytes) -> Look | Undecodable:
        if len(data) > MAX_BYTES:
            return Undecodable(name, "too large", f"{len(data)} bytes; at most {MAX_BYTES} in a request")
        try:
            decoder = self._idle.pop()
        except IndexError:
            decoder = _Decoder(self._shapes)
        answer = decoder.ask(name, data, self._limit)
        if decoder.alive:
            self._idle.append(decoder)
        return answer


class _Decoder:
    """One process and the pipe to it."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes, self.alive, self._started = shapes, True, False
        self._pipe, theirs = connection.Pipe()
        told = json.dumps(dataclasses.asdict(shapes))
        command = [sys.executable, "-m", __name__, str(theirs.fileno()), told]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()  # so that its death is the pipe's end

    def ask(self, name: str, data: bytes, limit_seconds: float) -> Look | Undecodable:
        try:
            if not self._started:  # which takes a second, and its time is not the image's
                self._pipe.recv_bytes()
                self._started = True
            self._pipe.send_bytes(data)
            if not self._pipe.poll(limit_seconds):
                self._end()
                return Undecodable(name, "takes too long", f"over {limit_seconds:g} s; save the image anew")
            return self._understood(name, self._pipe.recv_bytes())
        except (EOFError, OSError):
            self._end()
            return Undecodable(name, "decoder crashed", "its process ended; save the image anew")

    def _understood(self, name: str, answer: bytes) -> Look | Undecodable:
        if answer[:1] == REFUSED:
            return Undecodable(name, *json.loads(answer[1:]))
        pixels = np.frombuffer(answer, np.uint8, offset=1)
        split = self._shapes.size_px**2
        sides = (self._shapes.size_px, self._shapes.view_px)
        return Look(*(part.reshape(side, side) for part, side in zip((pixels[:split], pixels[split:]), sides)))

    def _end(self) -> None:
        self.alive = False
        self._pipe.close()
        self._process.kill()
        self._process.wait()


def _in_memory() -> BinaryIO:
    """A file without a name, in memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("image"), "wb")
    return tempfile.TemporaryFile()


def look_at_bytes(data: bytes, shapes: Shapes) -> Look | Undecodable:
    """The image in the bytes of a file, or why it cannot be used."""
    with _in_memory() as file:
        file.write(data)
        file.seek(0)
        return look(f"/dev/fd/{file.fileno()}", shapes)


def main(pipe_number: str, told: str) -> None:
    """The process: answers image after image until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to answer
    shapes = Shapes(**json.loads(told))
    pipe = connection.Connection(int(pipe_number))
    with suppress(EOFError, OSError):  # the server has gone
        pipe.send_bytes(b"")  # started
        while True:
            seen = look_at_bytes(pipe.recv_bytes(), shapes)
            if isinstance(seen, Undecodable):
                pipe.send_bytes(REFUSED + json.dumps([seen.reason, seen.detail]).encode())
            else:
                pipe.send_bytes(SEEN + seen.square.tobytes() + seen.view.tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
