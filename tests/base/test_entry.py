"""How a stage ends where it can't go on: one sentence and an exit code, no traceback, no half file."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

STAGE = "from cxrbench.base.entry import run\nfrom cxrbench.base.files import write_text\n"


def ended(folder, line, **options):
    # -B: under a limit on file sizes Python would leave a truncated .pyc, which every later import reads.
    command = [sys.executable, "-B", "-c", STAGE + line]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, **options)


def test_a_disk_that_fills_up_is_one_sentence_and_leaves_no_half_file(tmp_path):
    (tmp_path / "table.csv").write_text("old")

    def small_files_alone():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = ended(tmp_path, "run(lambda: write_text('table.csv', 'a' * 100_000))", preexec_fn=small_files_alone)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: table.csv: File too large; free some space; what was finished is kept")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "old"


NOBODY = "import os\nif os.geteuid() == 0: os.seteuid(65534)\n"  # root, whom no permission stops, becomes nobody


@pytest.fixture
def for_reading():
    """A folder that may be read and not written."""
    with tempfile.TemporaryDirectory() as name:  # below a folder that anybody may enter, as pytest's own is not
        folder = Path(name)
        (folder / "table.csv").write_text("old")
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize("file", ["table.csv", "new/table.csv"])
def test_a_folder_that_may_only_be_read_is_one_sentence_that_names_the_file(for_reading, file):
    # Who may write nothing can't write down which lines ran either, and `make coverage` would say so.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = ended(for_reading, f"{NOBODY}run(lambda: write_text({file!r}, 'a'))", env=unmeasured)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {file.removesuffix('/table.csv')}: Permission denied; this user must")
    assert len(done.stderr.splitlines()) == 1
    assert (for_reading / "table.csv").read_text() == "old"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (
            "from cxrbench.base.errors import CxrbenchError as E\ndef main(): raise E('lr is 0')\nrun(main)",
            1,
            "error: lr is 0\n",
        ),
        ("def main(): raise KeyboardInterrupt\nrun(main)", 130, "stopped; what was finished is kept"),
        ("def main(): open('nowhere')\nrun(main)", 1, "Traceback"),  # our own mistake: nothing is hidden
    ],
)
def test_a_mistake_is_one_sentence_and_a_fault_of_ours_is_shown_whole(tmp_path, line, code, told):
    done = ended(tmp_path, line)
    assert done.returncode == code
    assert done.stderr.startswith(told)
