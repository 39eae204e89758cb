"""File systems of a trial's own: small ones, ones for reading alone, another disk. They need no root.

A process holds a mount namespace of its own; what is mounted in it is seen by commands that enter it and, through
/proc, by the test. Where the machine allows no namespace, trials are skipped.
"""

import contextlib
import subprocess
from pathlib import Path

import pytest


class Disks:
    """A mount namespace; ``before`` is what a command line begins with to run in it."""

    def __init__(self):
        command = ["unshare", "-Urm", "sh", "-c", "echo ready; exec cat"]
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self._holder.stdout.readline() != b"ready\n":
            pytest.skip(f"this machine allows no mount namespace ({self._holder.communicate()[1].decode().strip()})")
        enter = ["nsenter", f"--target={self._holder.pid}", "--user", "--mount", "--preserve-credentials"]
        self._enter = enter

    def before(self, folder):
        """... in ``folder``, as it is inside: the current folder of whoever enters is the one outside."""
        return [*self._enter, "sh", "-c", 'cd "$0" && exec "$@"', str(folder)]

    def seen(self, path):
        """Where the test itself finds ``path``."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def do(self, *words):
        subprocess.run([*self._enter, *map(str, words)], check=True)

    def small(self, folder, size_kib):
        """Mounts an empty file system of this size at ``folder``."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.do("mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "none", folder)

    def resize(self, folder, size_kib):
        self.do("mount", "-o", f"remount,size={size_kib}k", folder)

    def for_reading(self, folder):
        self.do("mount", "--bind", folder, folder)
        self.do("mount", "-o", "remount,ro,bind", folder)

    def close(self):
        self._holder.stdin.close()
        self._holder.wait()
        self._holder.stdout.close()
        self._holder.stderr.close()


@contextlib.contextmanager
def disks():
    found = Disks()
    try:
        yield found
    finally:
        found.close()
