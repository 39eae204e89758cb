"""The one file that the tests of ``fetch_file`` are about, and how they ask for it."""

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch.http import fetch_file
from tests.cohorts.fetch.server import NO_STALL, Server

BODY = random.Random(3).randbytes(300_000)
SHA256, MD5 = hashlib.sha256(BODY).hexdigest(), hashlib.md5(BODY).hexdigest()
PATH = "/cohort.zip"


def fetch(server: Server, target: Path, **more: Any) -> Path:
    return fetch_file(server.url(PATH), target, **{"patience": NO_STALL, **more})


def refusal(server: Server, target: Path, **more: Any) -> str:
    """The sentence of a fetch that fails; the target is not there."""
    with pytest.raises(CxrbenchError) as caught:
        fetch(server, target, **more)
    assert "\n" not in str(caught.value)
    assert not target.exists()
    return str(caught.value)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
