"""Runs on a Slurm cluster through submitit: each job of an array trains several runs, so that imports are paid once.

Everything travels through a folder that all nodes share. Slurm itself starts a job again after preemption, its time
limit or the loss of its node, and the job goes on where it was.
"""

import os
import shutil
import subprocess
import time
import uuid
from collections import Counter
from pathlib import Path

import submitit
from filelock import FileLock

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.claims import take
from cxrbench.runs.executors import Event
from cxrbench.runs.executors.slurm_batch import Batch, Task, ended
from cxrbench.runs.executors.slurm_options import read_options, submitter
from cxrbench.runs.executors.worker import Work, training
from cxrbench.runs.job import Job, graph_of

LOOK_S, END_S = 0.5, 120.0  # between two looks into the shared folder; for cancelled jobs to end


class SlurmExecutor:
    """``options`` are of ``slurm_options``; None for those of CXRBENCH_SLURM.

    ``folder``: one that all nodes share, on the disk of the run store. Slurm is asked for its jobs every ``ask_s``
    seconds. Raises CxrbenchError where there is no Slurm, or where it takes no job.
    """

    def __init__(self, folder: Path, options: str | None = None, work: Work = training, ask_s: float = 10.0) -> None:
        asked = read_options(os.environ.get("CXRBENCH_SLURM", "") if options is None else options)
        self._most, self._runs = asked.pop("jobs"), asked.pop("runs")
        self.slots = self._most * self._runs
        self._slurm = asked.pop("cluster", "slurm") == "slurm"
        self._work, self._cpus = work, asked.pop("cpus_per_task", 0)
        self._ask_s, self._asked = ask_s, time.monotonic()
        self._waiting: list[Task] = []
        self._jobs: dict[submitit.Job[None], list[Task]] = {}
        self._heard: Counter[Path] = Counter()  # events of a task
        self._folder = folder / f"cxrbench-{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "gate.lock"):
            self._folder.mkdir()
            self._claim = take(self._folder / "lock")
            self._end_orphans()
        self._submitit = submitter(self._folder, self._slurm, asked)

    def submit(self, job: Job, written: Path, checkpoint: Path) -> None:
        told = self._folder / f"{job.run}-{uuid.uuid4().hex[:8]}.jsonl"
        told.touch()
        self._waiting.append(Task(job, written, checkpoint, told))

    def events(self, timeout_s: float) -> list[Event]:
        until = time.monotonic() + timeout_s
        while True:
            self._send()
            events = self._look()
            if events or time.monotonic() >= until:
                return events
            time.sleep(min(LOOK_S, timeout_s))

    def close(self) -> None:
        if self._slurm:
            _cancel(self._folder.name)
        else:
            for job in self._jobs:
                job.cancel(check=False)
        until = time.monotonic() + END_S
        while self._living() and time.monotonic() < until:
            time.sleep(LOOK_S)
        self._jobs.clear()
        if self._claim:
            self._claim.release()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _send(self) -> None:
        """Makes batches of what waits, of the same threads and rather of one graph, as many as there may be jobs."""
        while self._waiting and len(self._jobs) < self._most:
            threads = self._waiting[0].threads
            batches = [self._batch(threads)]
            while len(self._jobs) + len(batches) < self._most and (more := self._batch(threads)):
                batches.append(more)
            self._submitit.update_parameters(cpus_per_task=self._cpus or threads)
            try:
                jobs = self._submitit.submit_array([Batch(tasks, self._work, self._most, threads) for tasks in batches])
            except RuntimeError as error:
                raise CxrbenchError(f"Slurm takes no job: {' '.join(str(error).split())}") from None
            self._jobs |= zip(jobs, batches)

    def _batch(self, threads: int) -> list[Task]:
        """Takes up to as many runs of ``threads`` as a job trains; those of the first one's graph before others."""
        able = [task for task in self._waiting if task.threads == threads]
        graph = graph_of(able[0].job) if able else ()
        batch = sorted(able, key=lambda task: graph_of(task.job) != graph)[: self._runs]
        self._waiting = [task for task in self._waiting if task not in batch]
        return batch

    def _look(self) -> list[Event]:
        living = None  # asked before the files are read: what an ended job told is there
        if time.monotonic() - self._asked >= self._ask_s:
            living, self._asked = self._living(), time.monotonic()
        events = []
        for job, tasks in list(self._jobs.items()):
            left = []
            for task in tasks:
                told = task.events()
                events += told[self._heard[task.told] :]
                self._heard[task.told] = len(told)
                left += [task] if not ended(told) else []
            if not left or (living is not None and job.job_id not in living):
                del self._jobs[job]
                self._waiting[:0] = left[1:]
                events += [_lost(task, job) for task in left[:1]]
        return events

    def _living(self) -> set[str] | None:
        """The jobs that wait, run or end; None where Slurm doesn't answer."""
        if not self._slurm:
            return {job.job_id for job in self._jobs if not job.done()}
        command = ["squeue", "--noheader", "--array", "--format=%i", f"--name={self._folder.name}"]
        answer = subprocess.run(command, capture_output=True, text=True)
        return set(answer.stdout.split()) if answer.returncode == 0 else None

    def _end_orphans(self) -> None:
        """Cancels the jobs of drivers that were killed: nobody would take what they train."""
        for folder in self._folder.parent.glob("cxrbench-*"):
            if claim := take(folder / "lock"):
                if self._slurm:
                    _cancel(folder.name)
                claim.release()
                shutil.rmtree(folder, ignore_errors=True)


def _lost(task: Task, job: "submitit.Job[None]") -> Event:
    last = (job.stderr() or "").strip().rpartition("\n")[2]
    return Event(task.job.run, "failed", reason=f"Slurm job {job.job_id} ended before it: {last}", lost=True)


def _cancel(name: str) -> None:
    """Cancels all jobs of that name, and ends at once those that run."""
    for how in ([], ["--signal=KILL"]):
        subprocess.run(["scancel", *how, f"--name={name}"], capture_output=True)
