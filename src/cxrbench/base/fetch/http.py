"""Files over HTTP that survive resets, stalls, 5xx, a cut connection and a kill, and are refused where they are wrong.

requests and urllib3 carry the bytes, with their proxies (HTTPS_PROXY), certificates (REQUESTS_CA_BUNDLE) and netrc.
The loop around them is ours because no library at hand resumes: pooch opens its file anew for every attempt and has no
Range request; urllib3's Retry repeats a request but not a body that broke off; kagglehub resumes, without If-Range,
and only what comes from Kaggle. One process at a time may fetch a target; who shares a folder locks it.
"""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

import requests
from requests.auth import HTTPBasicAuth

from cxrbench.base.fetch.transfer import Advance, Job, Patience, transfer

PATIENT = Patience()
HARMLESS = {"user-agent", "accept"}  # headers that any host may see


def fetch_file(
    url: str,
    target: Path,
    *,
    size_bytes: int | None = None,
    sha256: str | None = None,
    md5: str | None = None,
    auth: tuple[str, str] | None = None,
    headers: dict[str, str] | None = None,
    needs: str = "",
    patience: Patience = PATIENT,
    advance: Advance = lambda count, name: None,
) -> Path:
    """``target``, whole and checked; returns at once where it is there and fits its size and checksum.

    ``needs`` ends the sentence for 401 and 403: what the user is to set. ``headers`` go with every request. Neither
    they (but for User-Agent and Accept) nor ``auth`` follow a redirect to another host, and no error shows them.
    ``advance(bytes, name)`` hears of bytes that came, of those that were there before, and, below zero, of those that
    have to come again.
    """
    job = Job(url, target, size_bytes, sha256, md5)
    with _Session(auth, headers) as session:
        transfer(job, session, patience, needs, threading.Event(), advance)
    return target


def fetch_many(
    jobs: Iterable[Job],
    *,
    connections: int,
    auth: tuple[str, str] | None = None,
    headers: dict[str, str] | None = None,
    needs: str = "",
    patience: Patience = PATIENT,
    advance: Advance = lambda count, name: None,
) -> int:
    """Fetches each job's file as ``fetch_file`` does, over so many kept-alive ``connections``; returns how many.

    ``jobs`` may be a generator: no more than ``connections`` of them are under way. The first error that no further
    attempt can mend stops the others and is raised; finished files stay, so the next call goes on.
    ``advance(1, name)`` is called for each whole file, by one thread at a time.
    """
    stop, lock = threading.Event(), threading.Lock()
    queue = iter(jobs)

    def worker() -> int:
        done = 0
        with _Session(auth, headers) as session:
            for job in _taken(queue, lock, stop):
                if not transfer(job, session, patience, needs, stop, lambda count, name: None):
                    break
                done += 1
                with lock:
                    advance(1, job.target.name)
        return done

    with ThreadPoolExecutor(connections, thread_name_prefix="fetch") as pool:
        try:
            workers = [pool.submit(worker) for _ in range(connections)]
            ended, _ = wait(workers, return_when=FIRST_EXCEPTION)
            for future in ended:
                future.result()
        finally:  # also at Ctrl-C: the pool waits for its threads, and these watch ``stop``
            stop.set()
    return sum(future.result() for future in workers)


def _taken(queue: Iterator[Job], lock: threading.Lock, stop: threading.Event) -> Iterator[Job]:
    while not stop.is_set():
        with lock:
            job = next(queue, None)
        if job is None:
            return
        yield job


class _Session(requests.Session):
    """Sends ``auth`` and ``headers`` to the host they are for; requests itself takes only Authorization back."""

    def __init__(self, auth: tuple[str, str] | None, headers: dict[str, str] | None) -> None:
        super().__init__()
        if auth:
            user, password = auth
            self.auth = HTTPBasicAuth(user.encode(), password.encode())  # UTF-8 (RFC 7617); requests takes Latin-1
        elif any(name.lower() == "authorization" for name in headers or {}):
            self.auth = lambda request: request  # else an entry in netrc would take its place
        self.headers.update(headers or {})
        self._private = {name for name in headers or {} if name.lower() not in HARMLESS}

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)
        if self.should_strip_auth(response.request.url, prepared_request.url):
            for name in self._private:
                prepared_request.headers.pop(name, None)
