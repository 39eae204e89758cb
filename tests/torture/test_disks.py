"""A disk that is full, for reading alone or another one: one sentence, and the repeated command ends as ever."""

import os
import shutil

import pytest

from tests.torture.disks import disks
from tests.torture.study import Study

ROOM_KIB = (16, 160, 640)  # what is free when a command begins
FILL = {  # what is said -> what is forgotten before, what is compared after
    "stage:download": ((".cxrbench/phantoms", "data/download"), "data/download"),
    "stage:split": (("data/split", ".cxrbench/arrays"), "data/split"),
    "stage:train_grid": (("data/train-grid",), "data/train-grid"),
    "stage:report": (("reports",), "reports"),
    "cxrbench pack packed": ((), "packed"),
    "cxrbench views .cxrbench/phantoms --out views/table.csv": ((), "views"),
}


def error_of(told):
    """The one sentence that ends what was told."""
    said = [line for line in told.splitlines() if line.strip()]
    assert "Traceback" not in told, told
    errors = [line for line in said if line.startswith("error: ")]
    assert len(errors) == 1, told
    return errors[0]


@pytest.mark.parametrize("words", FILL)
def test_a_full_disk_is_one_sentence_and_with_room_the_command_ends_as_ever(words, finished, tmp_path, tried):
    before, made = FILL[words]
    whole = finished.copy(tmp_path / "whole" / "cxrbench")
    forget(whole, words, before)
    kept = tmp_path / "kept"
    shutil.copytree(whole.folder, kept, symlinks=True)
    whole.run(*words.split())
    expected, told = whole.content(made), []
    with disks() as own:
        for room in ROOM_KIB:
            place = tmp_path / f"disk-{room}"
            own.small(place, 200_000)
            own.do("cp", "-a", kept, place / "cxrbench")
            used = int(usage(own.seen(place)))
            own.resize(place, used + room)
            study = Study(place / "cxrbench", own.before(place / "cxrbench"))
            seen = Study(own.seen(place) / "cxrbench", study.before)
            done = seen_run(seen, words)
            if done.returncode:
                told.append(error_of(done.stdout))
            else:
                assert seen.content(made) == expected
            own.resize(place, used + 200_000)
            if words.startswith("cxrbench") and not done.returncode:
                seen.forget(made)  # a pack wants a new folder
            forget(seen, "", () if words == "stage:train_grid" else before)
            if words == "stage:train_grid":
                seen.forget("data/train-grid")
            again = seen_run(seen, words)
            assert again.returncode == 0, again.stdout
            assert seen.content(made) == expected
    assert told
    tried(f"`{words.replace('stage:', 'stage ')}` on a disk that fills up", len(ROOM_KIB), told[0][:160])


def forget(study, words, before):
    study.forget(*before)
    if words == "stage:train_grid":
        study.forget_runs()


def usage(folder):
    state = os.statvfs(folder)
    return (state.f_blocks - state.f_bfree) * state.f_frsize // 1024


def seen_run(study, words):
    """The finished process of a command, with all it told."""
    process = study.start(*words.split(), TMPDIR="/tmp")
    process.wait(600)
    process.stdout = study.said()
    return process


READERS = {  # what is said in a workspace that may only be read -> whether it can be done
    "stage:download": False,
    "stage:split": False,
    "stage:train_grid": False,
    "stage:evaluate": False,
    "stage:report": False,
    "cxrbench pack packed": False,
    "cxrbench grid": True,
    "cxrbench grid --prune --yes": False,
    "cxrbench track": False,
    "cxrbench views .cxrbench/phantoms --out /tmp/cxrbench-torture-views.csv": True,
}


def test_a_workspace_that_may_only_be_read_is_one_sentence_of_each_command(study, tried):
    before, told = study.content("data", ".cxrbench", "reports"), []
    with disks() as own:
        own.for_reading(study.folder)
        reader = Study(study.folder, own.before(study.folder))
        for words, works in READERS.items():
            done = seen_run(reader, words)
            assert (done.returncode == 0) == works, f"{words}: {done.stdout}"
            if not works:
                told.append(error_of(done.stdout))
    assert study.content("data", ".cxrbench", "reports") == before
    tried("a workspace that may only be read", len(READERS), told[0].replace(str(study.folder), "")[:160])


def test_images_that_may_only_be_read_are_read(study, tmp_path, tried):
    """A cohort on a disk for reading alone, as an archive is."""
    with disks() as own:
        own.for_reading(study.folder / ".cxrbench" / "phantoms")
        out = "views.csv"
        done = seen_run(Study(study.folder, own.before(study.folder)),
                        f"cxrbench views .cxrbench/phantoms --out {out}")  # fmt: skip
    assert done.returncode == 0, done.stdout
    tried("a folder of images that may only be read", 1, "")


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink"])
def test_a_dvc_cache_on_another_disk_gives_the_same_files_back(kind, study, finished, tmp_path, tried):
    """The workspace on its disk, the cache on one in memory; a hard link between the two is impossible."""
    outputs = ("data/download", "data/split", "data/train-grid", "data/evaluate", "reports")
    with disks() as own:
        own.small(tmp_path / "other", 200_000)
        there = Study(study.folder, own.before(study.folder))
        there.run("cp", "-a", ".dvc/cache", str(tmp_path / "other" / "cache"))
        shutil.rmtree(study.folder / ".dvc" / "cache")
        there.run("dvc", "cache", "dir", "--local", str(tmp_path / "other" / "cache"))
        there.run("dvc", "config", "--local", "cache.type", f"reflink,{kind},copy" if kind == "hardlink" else kind)
        study.forget(*outputs)
        there.run("dvc", "checkout")
        assert "up to date" in there.run("dvc", "repro")
        there.run("dvc", "repro", "--force", "--single-item", "split")
        assert "up to date" in there.run("dvc", "repro")
        there.run("dvc", "config", "--local", "cache.type", "copy")
        there.run("dvc", "checkout", "--relink")  # what is linked to is seen inside alone
    assert study.content(*outputs) == finished.content(*outputs)
    tried(f"DVC's cache on another disk, linked by {kind}", 1, "")
