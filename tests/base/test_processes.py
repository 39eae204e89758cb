"""Work in a process of its own gives its answer or its error, and ends with the process that asked for it."""

import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from cxrbench.base.processes import in_own_process

ASKS = """
import time
from cxrbench.base.processes import in_own_process
if __name__ == "__main__":
    in_own_process(time.sleep, 600)
"""


def test_it_gives_what_the_function_gives_raises_what_it_raises_and_says_where_the_process_died():
    assert in_own_process(int, "12", base=3) == 5
    with pytest.raises(ValueError, match="invalid literal"):
        in_own_process(int, "x")
    with pytest.raises(BrokenProcessPool):
        in_own_process(signal.raise_signal, signal.SIGKILL)


@pytest.mark.parametrize("after_s", [0.0, 0.2, 2.0])
def test_it_ends_when_the_process_that_asked_is_killed_at_any_moment(after_s, tmp_path):
    (tmp_path / "asks.py").write_text(ASKS)
    asks = psutil.Process(subprocess.Popen([sys.executable, "asks.py"], cwd=tmp_path).pid)
    deadline = time.monotonic() + 60
    while not asks.children():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(after_s)
    beneath = asks.children(recursive=True)
    asks.kill()
    _, alive = psutil.wait_procs(beneath, timeout=20)
    assert alive == []
