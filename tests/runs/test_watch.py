"""A progress display over runs that fail, go on or are trained elsewhere ends whole."""

import contextlib

from cxrbench.runs import watch
from cxrbench.runs.job import Job


def test_progress_counts_no_epoch_twice_and_ends_whole(monkeypatch):
    steps = []
    monkeypatch.setattr(
        watch, "progress", lambda what, total: contextlib.nullcontext(lambda n, detail: steps.append(n))
    )
    jobs = [Job(run, {"epochs": 5}, 0, None, None, "") for run in "abc"]
    with watch.watched("epochs", jobs, dict.fromkeys("abc", "title"), lambda run: None) as (on_epoch, on_run, _):
        for epoch in (1, 2, 3, 1, 2, 3, 4, 5):  # tried again from the start
            on_epoch("a", epoch)
        for epoch in (4, 5):  # goes on from a checkpoint
            on_epoch("b", epoch)
        for run in "abc":  # c was trained elsewhere
            on_run(run)
    assert sum(steps) == 15


def test_a_failure_is_told_when_it_happens_and_not_hours_later(capsys):
    jobs = [Job("a", {"epochs": 5}, 0, None, None, "")]
    with watch.watched("epochs", jobs, {"a": "loss, focal, seed 1"}, lambda run: None) as (_, _, on_failure):
        on_failure("a", "its process was killed")
        assert "loss, focal, seed 1 failed: its process was killed; the others go on" in capsys.readouterr().err
