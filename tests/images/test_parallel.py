"""A process that dies or hangs costs the item it worked on, nothing else."""

import os
import signal
import subprocess
import sys
from itertools import islice

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.phantom import tree
from cxrbench.images import parallel
from cxrbench.images.limits import Undecodable
from cxrbench.images.parallel import Lost, map_each, map_files
from tests.images import parallel_work as work

CRASHES = ["segfault", "exit 0", "out of memory", "die while answering"]


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    assert list(map_each(work.double, range(1000), workers)) == list(range(0, 2000, 2))
    assert list(map_each(work.double, [], workers)) == []


def test_only_what_crashes_is_lost_and_all_others_are_done():
    words = [f"file {number}" for number in range(150)]
    for number, word in enumerate(CRASHES):
        words[number * 17 + 5] = word
    results = list(map_files(work.misbehave, words, 2))
    lost = {result.path: result for result in results if isinstance(result, Undecodable)}
    assert sorted(lost) == sorted(CRASHES)
    assert {result.reason for result in lost.values()} == {"decoder crashed"}
    assert "SIGSEGV" in lost["segfault"].detail
    assert "exit code 0" in lost["exit 0"].detail
    assert "lower workers" in lost["out of memory"].detail
    assert [r for r in results if isinstance(r, str)] == [word for word in words if word not in CRASHES]


def test_what_hangs_is_lost_and_all_others_are_done():
    words = ["a", "hang", "b", "hang in C", *"cdefgh"]
    results = list(map_each(work.misbehave, words, 2, limit_seconds=2.0))
    assert [word for word, result in zip(words, results) if isinstance(result, Lost)] == ["hang", "hang in C"]
    assert {result.reason for result in results if isinstance(result, Lost)} == {"takes too long"}
    assert [result for result in results if isinstance(result, str)] == list("abcdefgh")


def test_a_file_whose_process_was_killed_for_anothers_memory_gets_a_second_chance(tmp_path):
    paths = [str(tmp_path / f"{number}") for number in range(9)]
    for path in paths[:7] + paths[8:]:
        open(path, "w").close()
    assert list(map_files(work.crash_once, [*paths, *paths, *paths], 1)) == ["fine"] * 27


def test_an_error_of_the_work_itself_is_raised_at_its_place_with_where_it_came_from():
    results = map_each(work.misbehave, ["a", "b", "raise", "c"], 1)
    assert list(islice(results, 2)) == ["a", "b"]
    with pytest.raises(ValueError, match="no such thing") as caught:
        next(results)
    assert "in misbehave" in caught.value.__notes__[0]


def test_processes_that_cannot_start_are_an_error_and_no_endless_loop():
    with pytest.raises(CxrbenchError, match=r"did not start \(exit code 9\).*lower workers"):
        list(map_each(work.Unborn(), ["a"] * 200, 2))


def test_no_more_is_begun_than_a_bound_however_many_items_there_are(monkeypatch):
    monkeypatch.setattr(parallel, "AHEAD", 80)
    taken = []

    class Items:
        def __len__(self):
            return 1_000_000

        def __iter__(self):
            for number in range(1_000_000):
                taken.append(number)
                yield number

    results = map_each(work.double, Items(), 2)
    assert list(islice(results, 300)) == list(range(0, 600, 2))
    assert len(taken) <= 300 + 2 * (80 + parallel.BATCH)
    results.close()


def test_a_killed_process_that_draws_phantoms_is_an_error_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "_draw_patient", work.die_drawing)
    with pytest.raises(CxrbenchError, match=r"draws phantoms was ended .*killed.*, 2 ran side by side; lower workers"):
        tree.write_tree(tmp_path, "covid", 0.02, 40, 0, workers=2)
    assert not any(tmp_path.iterdir())


def test_ctrl_c_ends_the_run_and_every_process_of_it(tmp_path):
    code = f"""if __name__ == "__main__":
        import os, signal, threading, time
        from pathlib import Path
        from cxrbench.images.parallel import map_each
        from tests.images.parallel_work import note_and_wait
        def press():
            while len(list(Path({str(tmp_path)!r}).iterdir())) < 2:
                time.sleep(0.01)
            os.killpg(0, signal.SIGINT)
        # A process that a shell started in the background inherits that SIGINT is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=press, daemon=True).start()
        list(map_each(note_and_wait, [{str(tmp_path / "a")!r}] * 9, 2))
    """
    (tmp_path.parent / "main.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, tmp_path.parent / "main.py"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )
    assert done.returncode == -signal.SIGINT
    assert done.stderr.count("Traceback") == 1  # the parent's; no child adds its own
    pids = [int(path.name.split("-")[1]) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    assert not any(running(pid) for pid in pids)
