"""Whether networks can start from the weights that runs name, asked of Keras in a process of its own.

    python -m cxrbench.training.starts

reads a JSON list of what ``models.build`` takes, and prints one of answers: {} where the network can start, {"error"}
where it can't, or, where Keras would have to download ImageNet's weights, {"url", "file", "hash"}. Nothing is
downloaded here. Keras alone knows which file a network wants, also one of a user's own package.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.training import backend


class _Wanted(BaseException):
    """Keras wants to download ``url`` to ``file``; no Exception, after which Keras would remove what lies there."""

    def __init__(self, url: str, file: str) -> None:
        self.url, self.file = url, file


def answer(**form: Any) -> dict[str, str | None]:
    """The answer for one network; to be called after ``backend.start``."""
    from cxrbench.training import models

    hashes: list[str | None] = []
    try:
        with _no_download(hashes):
            models.build(**form)
    except _Wanted as wanted:
        return {"url": wanted.url, "file": wanted.file, "hash": hashes[-1] if hashes else None}
    except CxrbenchError as error:
        return {"error": str(error)}
    return {}


@contextlib.contextmanager
def _no_download(hashes: list[str | None]) -> Iterator[None]:
    """Has Keras raise ``_Wanted`` where it would download, and notes the check sums that it is given for its files."""
    from keras.src.utils import file_utils

    get_file, urlretrieve = file_utils.get_file, file_utils.urlretrieve

    def noted(*args: Any, **kwargs: Any) -> Any:
        hashes.append(kwargs.get("file_hash") or kwargs.get("md5_hash"))
        return get_file(*args, **kwargs)

    def wanted(url: str, file: Any, *_: Any) -> None:
        raise _Wanted(url, str(file))

    file_utils.get_file, file_utils.urlretrieve = noted, wanted
    try:
        yield
    finally:
        file_utils.get_file, file_utils.urlretrieve = get_file, urlretrieve


def main() -> None:
    asked = json.load(sys.stdin)
    backend.start(1)
    print(json.dumps([answer(**form) for form in asked]))


if __name__ == "__main__":
    main()
