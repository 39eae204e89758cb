"""What a server's answer, or the lack of one, means for a fetch: try again, or say what the user can do.

A ``FetchFailure`` is returned, never raised: an exception of requests or urllib3 names the whole address, which may
hold a token, and one raised while another is handled would drag it into the traceback.
"""

import dataclasses
import re
import ssl
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.exceptions import InvalidHeader, NameResolutionError, ReadTimeoutError
from urllib3.util.retry import Retry

from cxrbench.base.errors import CxrbenchError

LONGEST_WAIT_SECONDS = 600.0  # a server that asks for more is left alone until the user comes back
AGAIN = {408, 425, 429}  # and every 5xx
COMPRESSED_SUFFIXES = {".gz", ".tgz"}  # Apache names the compression of a file that lies compressed on its disk


@dataclasses.dataclass(frozen=True, slots=True)
class FetchFailure:
    """Why there is no whole file yet."""

    what: str  # a clause, with what to do where ``final``
    final: bool = False  # another attempt would end the same way
    wait_seconds: float = 0.0  # what the server asks for


def shown(url: str) -> str:
    """An address as it may be printed: without user, password, query and fragment, where secrets travel."""
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port
    except ValueError:
        host, port = None, None
    if not host or split.scheme not in ("http", "https"):
        kind = url.partition(":")[0][:20] if ":" in url else "none"
        raise CxrbenchError(f"an address to fetch from has scheme {kind!r} or no host; give one of http:// or https://")
    return f"{split.scheme}://{host}{f':{port}' if port else ''}{split.path}"


def refusal(response: requests.Response, needs: str) -> FetchFailure | None:
    """What an answer that holds no part of the file says; None for 200 and 206."""
    status = response.status_code
    if status in (200, 206):
        return _disguised(response, needs)
    if status in (401, 403):
        had = "Authorization" in response.request.headers
        what = {
            (401, False): "asks for a user name and a password",
            (401, True): "does not take this user name and password",
            (403, False): "is not open to everyone",
            (403, True): "is not open to this user",
        }[status, had]
        return FetchFailure(f"{what} ({status}); {needs or 'sign in where the data are published'}", final=True)
    if status in (404, 410):
        return FetchFailure(f"does not exist ({status}); check the version and the name of the file", final=True)
    if status in AGAIN or status >= 500:
        seconds = _asked_wait(response)
        if seconds > LONGEST_WAIT_SECONDS:
            return FetchFailure(f"asks to be left alone for {seconds:,.0f} s ({status}); run again then", final=True)
        return FetchFailure(f"the server answered {status}", wait_seconds=seconds)
    return FetchFailure(f"answers {status}, which is no file; check the address", final=True)


def _disguised(response: requests.Response, needs: str) -> FetchFailure | None:
    """A sign-in page or a compressed copy in place of the file."""
    suffix = "." + urlsplit(response.request.url or "").path.rpartition(".")[2].lower()
    if response.headers.get("Content-Type", "").startswith("text/html") and suffix not in (".html", ".htm"):
        return FetchFailure(
            f"answers with a web page instead of the file; {needs or 'open it in a browser'}", final=True
        )
    coding = response.headers.get("Content-Encoding", "identity")
    if coding != "identity" and suffix not in COMPRESSED_SUFFIXES:
        return FetchFailure(
            f"comes compressed ({coding[:20]!r}) though asked for as it is; check the proxy", final=True
        )
    return None


def _asked_wait(response: requests.Response) -> float:
    try:
        return Retry(retry_after_max=10**9).parse_retry_after(response.headers.get("Retry-After", "0"))
    except (InvalidHeader, ValueError, OverflowError):
        return 0.0


def content_range(response: requests.Response) -> tuple[int | None, int | None]:
    """The first byte and the whole file's size in bytes, each where ``Content-Range`` tells."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", ""))
    if not match:
        return None, None
    start, total = match.groups()
    return (int(start) if start else None), (int(total) if total != "*" else None)


def version_of(response: requests.Response) -> str | None:
    """A name for this state of the file that ``If-Range`` may use: a strong ETag, else Last-Modified."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def network_failure(error: BaseException, timeout_seconds: float) -> FetchFailure:
    """What went wrong on the way, by the kinds of ``error`` and of all that it wraps; never their text."""
    kinds = [type(one) for one in _wrapped(error)]

    def any_of(*wanted: type) -> bool:
        return any(issubclass(kind, wanted) for kind in kinds)

    if any_of(ssl.SSLCertVerificationError):
        advice = "set REQUESTS_CA_BUNDLE to the certificates of your authority"
        return FetchFailure(f"has a certificate that is not trusted; {advice}", final=True)
    if any_of(requests.exceptions.TooManyRedirects):
        return FetchFailure("redirects without end; check the address", final=True)
    if any_of(requests.exceptions.InvalidHeader):
        return FetchFailure(
            "cannot be asked with these headers; take line breaks out of the user name or token", final=True
        )
    if any_of(requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, UnicodeError):
        return FetchFailure("redirects to what is no http(s) address; check the address", final=True)
    for wanted, what in (
        ((requests.exceptions.ProxyError, urllib3.exceptions.ProxyError), "the proxy failed (see HTTPS_PROXY)"),
        ((NameResolutionError,), "the host's name was not found"),
        ((ConnectionRefusedError,), "the connection was refused"),
        ((ConnectionResetError, BrokenPipeError), "the connection was reset"),
        ((requests.exceptions.Timeout, ReadTimeoutError), f"nothing came for {timeout_seconds:g} s"),
        ((urllib3.exceptions.ProtocolError,), "the connection was closed early"),
    ):
        if any_of(*wanted):
            return FetchFailure(what)
    return FetchFailure(f"the connection failed ({type(error).__name__})")


def _wrapped(error: BaseException) -> list[BaseException]:
    """The error and every other one that it holds as cause, context, reason or argument."""
    errors: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and one not in errors:
            errors.append(one)
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return errors
