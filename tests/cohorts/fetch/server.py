"""A real HTTP server on 127.0.0.1 that misbehaves on purpose, for every test that fetches.

    with Server({"/data.zip": body}) as server:
        server.script("/data.zip", reset(after=1000), status(503), stall(after=2000))
        fetch_file(server.url("/data.zip"), target, patience=QUICK)
        assert server.ranges("/data.zip") == [None, "bytes=1000-", ...]

``files`` maps a path to its bytes (a query string is ignored, so it may hold a token). A scripted path takes one
answer off its list for each request; when the list is empty the server behaves: ranges, If-Range, ETag, 416, 404,
keep-alive. ``server.users["/private/"] = ("name", "password")`` asks for Basic auth below a prefix (401 without),
``server.forbidden.add("/private/")`` answers 403, ``server.agents["/private/"] = "Wget/"`` answers 403 to every
User-Agent that begins otherwise, as PhysioNet does. ``server.seen`` holds every request in order. A stalled answer
waits until the ``with`` block ends, so give the fetch ``QUICK``: it does not wait between attempts and reads with a
short timeout. Whatever the server ran into, which a bad test may cause, is in ``server.errors``.
"""

import base64
import dataclasses
import hashlib
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cxrbench.base.fetch.http import Patience

QUICK = Patience(timeout_seconds=0.3, wait=lambda seconds: None)
NO_STALL = Patience(timeout_seconds=20, wait=lambda seconds: None)  # where nothing stalls: a busy machine is no failure


@dataclasses.dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str  # without its query
    headers: Mapping[str, str]  # names in lower case


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; the second would wait 40 ms for the first's receipt
    server: "_Http"

    def do_GET(self) -> None:
        world, path = self.server.world, self.path.partition("?")[0]
        world.seen.append(Seen(self.command, path, {name.lower(): value for name, value in self.headers.items()}))
        with world.lock:
            steps = world.scripts.get(path)
            step = steps.pop(0) if steps else answer()
        for prefix, (name, password) in world.users.items():
            expected = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
            if path.startswith(prefix) and self.headers.get("Authorization") != expected:
                step = status(401, {"WWW-Authenticate": 'Basic realm="private"'})
        for prefix, agent in world.agents.items():
            if path.startswith(prefix) and not self.headers.get("User-Agent", "").startswith(agent):
                step = status(403)
        if any(path.startswith(prefix) for prefix in world.forbidden):
            step = status(403)
        if path not in world.files and not getattr(step, "bodiless", False):
            step = status(404)
        step(self)

    def log_message(self, format: str, *args: Any) -> None:
        pass


Step = Callable[[Handler], None]


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"no") -> Step:
    """An answer of that status; ``headers`` may hold Retry-After, Location, Content-Range."""

    def step(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    step.bodiless = True  # type: ignore[attr-defined]
    return step


def redirect(to: str, code: int = 302) -> Step:
    return status(code, {"Location": to})


def answer(
    *,
    after: int | None = None,  # bytes of the body, then ``ending``
    ending: str = "close",  # close | reset | stall
    body: bytes | None = None,  # instead of the file's
    etag: str | None = "",  # '': made of the body; None: none is sent
    ranges: bool = True,  # False: a Range is ignored
    length: int | str | None = "right",  # a number: claimed, whatever is sent; None: none; 'chunked'
    shift: int = 0,  # a range starts so much later than it was asked for
    if_range: bool = True,  # False: a range is sent of whatever the file is now
    headers: Mapping[str, str] | None = None,
) -> Step:
    """The file, with what is wrong about it."""

    def step(handler: Handler) -> None:
        content = handler.server.world.files[handler.path.partition("?")[0]] if body is None else body
        tag = f'"{hashlib.sha1(content).hexdigest()}"' if etag == "" else etag
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", "")) if ranges else None
        if asked and if_range and handler.headers.get("If-Range", tag) != tag:
            asked = None
        start = int(asked[1]) + shift if asked else 0
        if asked and start >= len(content):
            return status(416, {"Content-Range": f"bytes */{len(content)}"})(handler)
        handler.send_response(206 if asked else 200)
        if asked:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if tag:
            handler.send_header("ETag", tag)
        sent = content[start:]
        _send(handler, sent, after, ending, len(sent) if length == "right" else length, headers or {})

    return step


def _send(
    handler: Handler, sent: bytes, after: int | None, ending: str, length: int | str | None, more: Mapping[str, str]
) -> None:
    for name, value in more.items():
        handler.send_header(name, value)
    if length == "chunked":
        handler.send_header("Transfer-Encoding", "chunked")
    elif length is not None:
        handler.send_header("Content-Length", str(length))
    handler.close_connection = after is not None or length != len(sent)
    handler.end_headers()
    part = sent if after is None else sent[:after]
    if length == "chunked":
        for at in range(0, len(part), 700):
            piece = part[at : at + 700]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if after is None:
            handler.wfile.write(b"0\r\n\r\n")
    else:
        handler.wfile.write(part)
    if after is not None and ending == "reset":
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.server.world.resets.add(handler.connection)
    elif after is not None and ending == "stall":
        handler.server.world.release.wait()


def reset(after: int) -> Step:
    return answer(after=after, ending="reset")


def cut(after: int) -> Step:
    return answer(after=after, ending="close")


def stall(after: int) -> Step:
    return answer(after=after, ending="stall")


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    world: "Server"

    def get_request(self) -> tuple[socket.socket, Any]:
        self.world.connections += 1
        return super().get_request()

    def shutdown_request(self, request: Any) -> None:
        if request in self.world.resets:
            request.close()  # at once: a shutdown would say a polite goodbye first
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if not isinstance(error, ConnectionError):  # the client went away, as the tests make it do
            self.world.errors.append(error)


class Server:
    """What it serves, what it is to do wrong, and what it saw; see the module's docstring."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.scripts: dict[str, list[Step]] = {}
        self.users: dict[str, tuple[str, str]] = {}
        self.agents: dict[str, str] = {}
        self.forbidden: set[str] = set()
        self.seen: list[Seen] = []
        self.errors: list[BaseException | None] = []
        self.connections = 0
        self.resets: set[socket.socket] = set()
        self.release, self.lock = threading.Event(), threading.Lock()
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.world = self

    def script(self, path: str, *steps: Step) -> None:
        self.scripts[path] = list(steps)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}{path}"

    def ranges(self, path: str) -> list[str | None]:
        """The Range header of each request for ``path``."""
        return [seen.headers.get("range") for seen in self.seen if seen.path == path]

    def __enter__(self) -> "Server":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()
