"""Whoever waits is told how far it is: a bar on a terminal, in a pipe a line at intervals and one at the end."""

import sys
import time

import pytest

from cxrbench.base import progress


def test_a_pipe_gets_a_line_at_intervals_and_one_at_the_end(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.05)
    with progress.progress("epochs trained", 4) as advance:
        advance(1, "learning-rate, lr=0.1, seed 0, epoch 1")
        deadline = time.monotonic() + 10
        lines = []
        while len(lines) < 2 and time.monotonic() < deadline:  # lines go on while nothing advances
            time.sleep(0.02)
            lines += capsys.readouterr().err.splitlines()
    assert lines[0] == "epochs trained: 1 of 4 in 0 min, 0 min left; last learning-rate, lr=0.1, seed 0, epoch 1"
    assert capsys.readouterr().err.splitlines()[-1].startswith("epochs trained: 4 in ")


def test_what_ends_within_a_minute_is_one_line_in_a_pipe(capsys):
    with progress.progress("images", 2) as advance:
        advance(2, "decoding")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_no_line_follows_an_error(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.01)
    with pytest.raises(KeyboardInterrupt), progress.progress("images", 2):
        raise KeyboardInterrupt
    capsys.readouterr()
    time.sleep(0.05)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("done", "seconds", "told"),
    [
        (0, 30, "images: 0 of 480 in 0 min, time left unknown"),
        (120, 1800, "images: 120 of 480 in 30 min, 1 h 30 min left"),
        (480, 7200, "images: 480 of 480 in 2 h 0 min, 0 min left"),
    ],
)
def test_a_line_says_how_far_since_when_and_how_long_still(done, seconds, told):
    assert progress._line("images", done, 480, seconds, "") == told


def test_a_terminal_gets_a_bar_that_says_what_is_under_way(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    with progress.progress("epochs trained", 2) as advance:
        advance(1, "lr=0.1, seed 0, epoch 1")
        advance(1, "lr=0.1, seed 0, epoch 2")
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "lr=0.1, seed 0, epoch 2" in shown
