"""`make` builds the locked environment with the newest Python that runs, by uv where it can and by pip where not.

The interpreters, uv and pip of these tests are small scripts that write down what they were asked to do: nothing is
installed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


class Machine:
    """A checkout and a PATH that holds only what a test puts there; ``log`` is what the programs were asked to do."""

    def __init__(self, folder):
        self.home, self.bin, self._log = folder / "checkout", folder / "bin", folder / "log"
        for path in (self.home, self.bin):
            path.mkdir()
        for name in ("Makefile", "pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / name, self.home)
        for name in ("sed", "touch", "mkdir", "cat", "cp", "chmod"):
            (self.bin / name).symlink_to(shutil.which(name))
        self.program("pip", "exit 0")  # what .venv/bin/python does; a test may say otherwise

    def program(self, name, body):
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self._log}"\n{body}\n')
        path.chmod(0o755)

    def python(self, name, version=(3, 12), system="linux", machine="x86_64", lacks=""):
        """An interpreter that says it is another, and whose venv has ``pip`` for its Python."""
        claims = (
            "import ctypes, ensurepip, platform, sqlite3, sys; "  # they ask which system this is
            f"sys.version_info, sys.platform, sys.modules['{lacks}'] = {version}, '{system}', None; "
            f"sys.executable, platform.machine = '{self.bin / name}', lambda: '{machine}'; exec(sys.argv[2])"
        )
        venv = f"mkdir -p .venv/bin && cp {self.bin}/pip .venv/bin/python"
        self.program(name, f'test "$1" = -m && {{ {venv}; exit; }}\nexec {sys.executable} -c "{claims}" "$@"')

    def make(self, *words):
        environment = {"PATH": str(self.bin)}
        command = [shutil.which("make"), *(words or [".venv/.ready"])]
        return subprocess.run(command, cwd=self.home, env=environment, capture_output=True, text=True)

    @property
    def log(self):
        """The calls that install or make something, oldest first."""
        calls = self._log.read_text().splitlines() if self._log.exists() else []
        return [call for call in calls if " -c " not in call and " --version" not in call]

    @property
    def ready(self):
        return (self.home / ".venv" / ".ready").exists()


LOCK_BY_UV = "uv pip install --python .venv/bin/python --require-hashes --no-deps --requirement requirements.lock"
PIP = "pip -m pip --disable-pip-version-check install"
LOCK_BY_PIP = f"{PIP} --require-hashes --no-deps --requirement requirements.lock"
UV_BY_PIP = f"{PIP} --quiet --require-hashes --no-deps --requirement /dev/stdin"
ITSELF = f"{PIP} --quiet --no-deps --no-build-isolation --editable ."
SHIM = "echo 'pyenv: command not found' >&2; exit 127"  # a command of pyenv's whose Python is not the chosen one


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def chosen(machine, *words):
    done = machine.make("--dry-run", ".venv/bin/python", *words)
    assert done.returncode == 0, done.stderr
    return re.search(r"^(\S+) -m venv --clear \.venv$", done.stdout, re.MULTILINE)


def test_the_newest_python_is_taken(machine) -> None:
    for minor in (11, 12, 13):
        machine.python(f"python3.{minor}", (3, minor))
    assert chosen(machine)[1] == str(machine.bin / "python3.13")


def test_a_command_that_does_not_run_is_passed_over(machine) -> None:
    machine.program("python3.13", SHIM)
    machine.program("python3.12", SHIM)
    machine.python("python3.11", (3, 11))
    assert chosen(machine)[1] == str(machine.bin / "python3.11")


def test_a_python_without_a_module_that_the_packages_need_is_passed_over(machine) -> None:
    machine.python("python3.13", (3, 13), lacks="sqlite3")
    machine.python("python3.12", (3, 12))
    assert chosen(machine)[1] == str(machine.bin / "python3.12")


def test_a_plain_python3_is_taken_where_its_version_will_do(machine) -> None:
    machine.python("python3", (3, 12))
    assert chosen(machine)[1] == str(machine.bin / "python3")


def test_a_python_that_the_user_names_goes_first(machine) -> None:
    machine.python("python3.13", (3, 13))
    machine.python("mine", (3, 11))
    assert chosen(machine, "PYTHON=mine")[1] == str(machine.bin / "mine")


@pytest.mark.parametrize(
    "python",
    [{"version": (3, 10)}, {"version": (3, 14)}, {"system": "darwin"}],
    ids=["too old", "too new for TensorFlow", "a Mac on Intel"],
)
def test_where_no_python_will_do_one_sentence_names_the_versions(machine, python) -> None:
    machine.python("python3", **python)
    done = machine.make()
    assert done.returncode != 0
    (sentence,) = done.stdout.splitlines()
    assert sentence.startswith("error: none of 'python3.13 python3.12 python3.11 python3' is a complete Python")
    assert all(word in sentence for word in ("3.11, 3.12 or 3.13", "Apple silicon", "python3-venv", "PYTHON="))
    assert not (machine.home / ".venv").exists()


def test_a_mac_on_apple_silicon_will_do(machine) -> None:
    machine.python("python3.13", (3, 13), system="darwin", machine="arm64")
    assert chosen(machine)


def test_the_uv_on_the_path_installs_the_lock(machine) -> None:
    machine.python("python3.12")
    machine.program("uv", "exit 0")
    assert machine.make().returncode == 0
    assert machine.log == ["python3.12 -m venv --clear .venv", LOCK_BY_UV, ITSELF]
    assert machine.ready


@pytest.mark.parametrize("shim", [False, True])
def test_without_a_uv_that_runs_the_one_in_the_lock_is_installed_by_its_hashes(machine, shim) -> None:
    machine.python("python3.12")
    machine.program("own-uv", "exit 0")
    bring = f'case "$*" in *stdin) cat >asked; cp {machine.bin}/own-uv .venv/bin/uv;; esac'
    machine.program("pip", bring)
    if shim:
        machine.program("uv", SHIM)
    assert machine.make().returncode == 0
    assert machine.log == ["python3.12 -m venv --clear .venv", UV_BY_PIP, f"own-{LOCK_BY_UV}", ITSELF]
    asked = (machine.home / "asked").read_text()
    assert asked.startswith("uv==")
    assert asked in LOCK
    assert asked.count("==") == 1
    assert "--hash=sha256:" in asked


def test_where_uv_cannot_be_installed_pip_installs_the_lock_and_says_that_it_takes_minutes(machine) -> None:
    machine.python("python3.12")
    machine.program("pip", 'case "$*" in *stdin) exit 1;; esac')
    done = machine.make()
    assert done.returncode == 0
    assert "pip does it instead, which takes minutes" in done.stdout
    assert machine.log[1:] == [UV_BY_PIP, LOCK_BY_PIP, ITSELF]
    assert machine.ready


def test_where_uv_fails_pip_installs_the_lock(machine) -> None:
    machine.python("python3.12")
    machine.program("uv", 'test "$1" = --version || exit 2')
    assert machine.make().returncode == 0
    assert machine.log[1:] == [LOCK_BY_UV, LOCK_BY_UV, LOCK_BY_PIP, ITSELF]


def test_where_a_proxy_has_its_own_certificates_uv_takes_those_of_the_machine(machine) -> None:
    machine.python("python3.12")
    machine.program("uv", 'test "$1" = --version || test "$UV_SYSTEM_CERTS$UV_NATIVE_TLS" = truetrue')
    assert machine.make().returncode == 0
    assert machine.log[1:] == [LOCK_BY_UV, LOCK_BY_UV, ITSELF]
    assert machine.ready


def test_a_uv_that_was_interrupted_is_not_followed_by_pip(machine) -> None:
    machine.python("python3.12")
    machine.program("uv", 'test "$1" = --version || exit 130')
    assert machine.make().returncode != 0
    assert machine.log[1:] == [LOCK_BY_UV]
    assert not machine.ready


def test_an_environment_that_could_not_be_filled_is_not_ready(machine) -> None:
    machine.python("python3.12")
    machine.program("pip", "exit 1")
    assert machine.make().returncode != 0
    assert not machine.ready


def test_a_new_lock_is_installed_into_the_environment_that_is_there(machine) -> None:
    machine.python("python3.12")
    machine.program("uv", 'test "$1" = --version || touch .venv/mine')
    machine.make()
    (machine.home / ".venv" / "mine").write_text("what the user installed")
    (machine.home / ".venv" / ".ready").unlink()
    assert machine.make().returncode == 0
    assert machine.log[3:] == [LOCK_BY_UV, ITSELF]
    assert (machine.home / ".venv" / "mine").read_text()


@pytest.mark.parametrize("target", ["repro", "validate"])
def test_outside_git_a_sentence_comes_before_anything_is_installed(tmp_path, target):
    machine = Machine(tmp_path)
    machine.python("python3")
    machine.program("git", "exit 128")
    done = machine.make(target)
    assert done.returncode != 0
    assert "this folder is no git repository" in done.stdout
    assert [call for call in machine.log if not call.startswith("git ")] == []
