"""Whether an address lies on this machine: a restricted cohort's pixels go nowhere else.

Decided from the address alone and on the safe side: what is not known to be here counts as remote. A tunnel or a
mounted folder of another machine can't be told from a place of our own; whoever sets one up answers for it.
"""

import ipaddress
from urllib.parse import urlsplit

from cxrbench.base.workspace import SERVERS as NAMED_SERVERS

FILES = ("", "file", "sqlite")
BARE_NAMES = ("", *NAMED_SERVERS)
SERVERS = ("http", "https", "mlflow-artifacts", "postgresql", "mysql", "mssql")


def stays_here(uri: str) -> bool:
    """True for a path, a file or SQLite address without another host, and a server at a loopback address.

    ``uri`` is an MLflow tracking or artifact address, such as sqlite:///mlruns/mlflow.db or http://127.0.0.1:5000.
    """
    if uri in BARE_NAMES:
        return False
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return False
    scheme = parts.scheme.split("+")[0]  # a database's driver follows the plus
    if scheme == "mlflow-artifacts" and not parts.netloc:
        return True  # stands for the tracking server itself, whose own address is asked about beside it
    return (scheme in FILES and (not parts.netloc or _loopback(host))) or (scheme in SERVERS and _loopback(host))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: who knows where it leads
        return False
