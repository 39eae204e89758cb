"""A table that is written row by row is there whole or not at all."""

import os
import subprocess
import sys

from cxrbench.base.row_file import written_whole

KILLED = """
import os, signal
from pathlib import Path
from cxrbench.base.row_file import written_whole
with written_whole(Path("views.csv")):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_and_a_living_one_keeps_its_own(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    living = tmp_path / f"views.csv.tmp-{os.getppid()}"
    living.touch()
    with written_whole(tmp_path / "views.csv") as file:
        file.write("whole")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "views.csv", living]
