"""Whether what is logged stays on this machine: a restricted cohort's pixels and keys go nowhere else.

Decided from the addresses alone and on the safe side: what is not known to be here counts as remote. A server that
takes files through its own address hands them on to wherever it was told, so it counts as remote too, wherever it runs.
A tunnel or a mounted folder of another machine can't be told from a place of our own; whoever sets one up answers for
it.
"""

import ipaddress
from urllib.parse import urlsplit

from cxrbench.base.workspace import SERVERS as NAMED_SERVERS

FILES = ("", "file")
SERVERS = ("http", "https", "postgresql", "mysql", "mssql")


def stay_here(uri: str, artifact_uri: str) -> bool:
    """True where a store of this machine writes its artifacts into a folder of this machine.

    ``uri`` is MLflow's tracking address, such as sqlite:///mlruns/mlflow.db or http://127.0.0.1:5000, ``artifact_uri``
    the address of a run's artifacts.
    """
    return store_is_here(uri) and _has(artifact_uri, FILES, ())


def store_is_here(uri: str) -> bool:
    """True for a path, a file or SQLite address without another host, and a server at a loopback address."""
    return uri not in NAMED_SERVERS and _has(uri, (*FILES, "sqlite"), SERVERS)


def _has(address: str, files: tuple[str, ...], servers: tuple[str, ...]) -> bool:
    """Whether ``address`` has one of the schemes ``files``, or one of ``servers`` at a loopback address."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    scheme = parts.scheme.split("+")[0]  # a database's driver follows the plus
    local = scheme in files and (not parts.netloc or _loopback(host))
    return bool(address) and (local or (scheme in servers and _loopback(host)))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: who knows where it leads
        return False
