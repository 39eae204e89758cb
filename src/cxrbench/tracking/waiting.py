"""How long MLflow waits for a server that does not answer: its own defaults are 120 s a request and seven retries.

The limits are MLflow's environment variables, which it reads at each request. A variable that the user has set stays.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"  # seconds a request
RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


class Waiting:
    """Sets limits for a while; which of them the user has set is asked once, when it is made."""

    def __init__(self) -> None:
        self._free = [name for name in (TIMEOUT, RETRIES) if not os.environ.get(name)]

    @contextmanager
    def at_most(self, seconds: int, retries: int) -> Iterator[None]:
        """Within the block a request waits at most ``seconds``, and is sent again at most ``retries`` times."""
        limits = {TIMEOUT: str(seconds), RETRIES: str(retries)}
        before = {name: os.environ.get(name) for name in self._free}
        os.environ.update({name: limits[name] for name in self._free})
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
