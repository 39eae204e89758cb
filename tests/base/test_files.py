"""A file is there whole or not at all, and what killed processes left of it is removed."""

import os
import subprocess
import sys

import pytest

from cxrbench.base import files, row_file

KILLED = """
import os, signal
from pathlib import Path
from cxrbench.base import files, row_file
with {writer}(Path("views.csv")) as file:
    getattr(file, "touch", print)()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("writer", ["files.replaced_when_whole", "row_file.written_whole"])
def test_what_a_killed_process_left_is_removed_by_the_next_and_a_living_one_keeps_its_own(writer, tmp_path):
    subprocess.run([sys.executable, "-c", KILLED.format(writer=writer)], cwd=tmp_path)
    (left,) = tmp_path.iterdir()
    mine, killed = left.name.rsplit("-", 1)
    kept = [tmp_path / name for name in (f"{mine}-{os.getppid()}", f"{mine}-none", f"views.csv.tmp-elsewhere-{killed}")]
    for one in kept:  # a living process's, one of no number, another machine's
        one.touch()
    files.write_text(tmp_path / "views.csv", "whole")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "views.csv", *kept])


def test_a_table_of_rows_leaves_nothing_where_its_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), row_file.written_whole(tmp_path / "views.csv") as file:
        file.write(str(1 / 0))
    assert list(tmp_path.iterdir()) == []
