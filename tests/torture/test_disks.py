"""A disk that is full, for reading alone or another one: one sentence, and the repeated command ends as ever."""

import os
import shutil
import subprocess

import pytest

from tests.torture.disks import disks
from tests.torture.study import Study, error_of

FULL = {  # what is said -> what is forgotten before, what it makes, KiB that are free when it begins
    "stage:download": ((".cxrbench/phantoms", "data/download"), "data/download", (16, 160, 640)),
    "stage:split": (("data/split", ".cxrbench/arrays"), "data/split", (16, 160, 640)),
    "stage:train_grid": ((), "data/train-grid", (160,)),
    "stage:report": (("reports",), "reports", (16, 160)),
    "cxrbench pack packed": ((), "packed", (16, 160)),
    "cxrbench views .cxrbench/phantoms --out views/table.csv": ((), "views", (4,)),
}


@pytest.mark.parametrize("words", FULL)
def test_a_full_disk_is_one_sentence_and_with_room_the_command_ends_as_ever(words, finished, tmp_path, tried):
    before, made, rooms_kib = FULL[words]
    whole, place, told = finished.copy(tmp_path / "whole" / "cxrbench"), tmp_path / "disk", []
    with disks() as own:
        own.small(place, 200_000)
        own.do("cp", "-a", whole.folder, place / "cxrbench")
        study = Study(own.seen(place) / "cxrbench", own.before(place / "cxrbench"))
        study.forget(*before)
        if words == "stage:train_grid":
            study.forget_runs()
        for room in rooms_kib:
            own.resize(place, used_kib(own.seen(place)) + room)
            code, said = study.ended(words, TMPDIR="/tmp")
            assert code == 1, said
            told.append(error_of(said))
            if words.startswith("stage:"):
                study.forget(made)  # as DVC does before it runs a stage
        own.resize(place, 200_000)
        code, said = study.ended(words, TMPDIR="/tmp")
        assert code == 0, said
        if words.startswith("cxrbench"):
            whole.run(*words.split())
        assert study.content(made) == whole.content(made)
    tried(
        f"`{words.replace('stage:', 'stage ')}`, with {' and '.join(map(str, rooms_kib))} KiB of room",
        len(told),
        told[0],
    )


def used_kib(folder):
    state = os.statvfs(folder)
    return (state.f_blocks - state.f_bfree) * state.f_frsize // 1024


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
            code, said = reader.ended(words, TMPDIR="/tmp")
            assert (code == 0) == works, f"{words}: {said}"
            if not works:
                told.append(error_of(said))
    assert study.content("data", ".cxrbench", "reports") == before
    tried("stages and commands, one by one", len(READERS), told[0])


def test_images_that_may_only_be_read_are_read(study, tmp_path, tried):
    """A cohort on a disk for reading alone, as an archive is."""
    with disks() as own:
        own.for_reading(study.folder / ".cxrbench" / "phantoms")
        reader = Study(study.folder, own.before(study.folder))
        with pytest.raises(subprocess.CalledProcessError):
            own.do("touch", study.folder / ".cxrbench" / "phantoms" / "new")
        reader.run("cxrbench", "views", ".cxrbench/phantoms", "--out", "views.csv")
    tried("`cxrbench views`", 1, "")


def test_a_dvc_cache_on_another_disk_gives_the_same_files_back(study, finished, tmp_path, tried):
    """The workspace on its disk, the cache on one in memory, which no hard link can lead to: DVC copies then."""
    outputs, kinds = (
        ("data/download", "data/split", "data/train-grid", "data/evaluate", "reports"),
        ("hardlink,copy", "symlink"),
    )
    with disks() as own:
        own.small(tmp_path / "other", 200_000)
        there = Study(study.folder, own.before(study.folder))
        there.run("cp", "-a", ".dvc/cache", str(tmp_path / "other" / "cache"))
        shutil.rmtree(study.folder / ".dvc" / "cache")
        there.run("dvc", "cache", "dir", "--local", str(tmp_path / "other" / "cache"))
        for kind in kinds:
            there.run("dvc", "config", "--local", "cache.type", kind)
            study.forget(*outputs)
            there.run("dvc", "checkout")
            linked = [path for name in outputs for path in (study.folder / name).rglob("*") if path.is_symlink()]
            assert bool(linked) == (kind == "symlink")
            there.run("dvc", "repro", "--force", "--single-item", "split")  # which writes where links were
            assert "up to date" in there.run("dvc", "repro")
        there.run("dvc", "config", "--local", "cache.type", "copy")
        there.run("dvc", "checkout", "--relink")  # what is linked to is seen inside alone
    assert study.content(*outputs) == finished.content(*outputs)
    tried("linked by copies and symbolic links", len(kinds), "")
