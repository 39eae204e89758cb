"""A Slurm of one controller and two nodes on this machine, for as long as a test lasts.

Each node is a slurmd in process and host-name spaces of its own, so that killing the first process of the space ends
all that runs on the node at once, as a power cut does. Needs root, and Debian's slurm-wlm and munge or the like.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

NODES = {"n1": None, "n2": None}
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "unshare")
CONF = """\
ClusterName=cxrbench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SlurmdTimeout=5
InactiveLimit=0
KillWait=3
MinJobAge=2
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2
NodeName=n1 NodeHostname=n1 NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1
NodeName=n2 NodeHostname=n2 NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why no Slurm can be started here, as a sentence; empty where one can."""
    if missing := [name for name in PROGRAMS if not _program(name)]:
        return f"no Slurm here: {', '.join(missing)} missing (Debian: apt-get install slurm-wlm munge)"
    if os.geteuid() or subprocess.run(["unshare", "--pid", "--fork", "--uts", "true"], capture_output=True).returncode:
        return "a Slurm node of its own needs the right to make process spaces: run as root"
    return ""


class SlurmCluster:
    """``start`` and ``kill`` nodes n1 and n2."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._daemons: list[subprocess.Popen[bytes]] = []
        conf = CONF.format(host=socket.gethostname().split(".")[0], folder=folder, ports=_free_ports(3))
        (folder / "slurm.conf").write_text(conf)
        (folder / "state").mkdir()
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o400)

    def start(self, core_of: Mapping[str, int | None]) -> None:
        """Starts the nodes that ``core_of`` names, each on the core that it gives; returns when they wait for work."""
        folder = self.folder
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={folder}/munge.{name}" for option, name in files.items()]
        self._daemon("munged", "--foreground", "--force", *options)
        _wait_for(lambda: (folder / "munge.socket").exists(), "munged")
        self._daemon("slurmctld", "-D", "-f", str(folder / "slurm.conf"))
        for node, core in core_of.items():
            pin = [] if core is None else ["taskset", "--cpu-list", str(core)]
            self.nodes[node] = self._daemon(
                *(*pin, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "sh", "-c"),
                f"hostname {node} && exec {_program('slurmd')} -D -N {node} -f {folder}/slurm.conf",
            )
        _wait_for(lambda: all(self.state(node) == "idle" for node in core_of), "the nodes")

    def state(self, node: str) -> str:
        """As sinfo says; a star behind it means that the node doesn't answer."""
        command = [_program("sinfo"), "--noheader", f"--nodes={node}", "--format=%T"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    def kill(self, node: str) -> None:
        """Ends all processes of the node at once; the controller finds out by itself."""
        self.nodes[node].kill()
        self.nodes[node].wait()

    def stop(self) -> None:
        for process in reversed(self._daemons):
            process.kill()
            process.wait()

    def _daemon(self, *command: str) -> "subprocess.Popen[bytes]":
        with open(self.folder / "daemons.log", "ab") as log:
            program = [_program(command[0]), *command[1:]]
            environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}
            self._daemons.append(subprocess.Popen(program, stdout=log, stderr=log, env=environment))
        return self._daemons[-1]


@contextlib.contextmanager
def slurm_cluster(core_of: Mapping[str, int | None] = NODES) -> Iterator[SlurmCluster]:
    """A running cluster, which SLURM_CONF of this process names meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: a socket's path has at most 108 characters
    cluster, before = SlurmCluster(folder), os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    try:
        cluster.start(core_of)
        yield cluster
    finally:
        cluster.stop()
        os.environ.pop("SLURM_CONF")
        if before is not None:
            os.environ["SLURM_CONF"] = before
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """Where a program lies, also one for the administrator; empty where it is missing."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for(holds: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not start within {seconds:.0f} s")
        time.sleep(0.2)
