"""A checkout, a run store and a folder of images whose paths hold what people and file browsers put into names."""

import shutil

import pytest

from tests.torture.study import OUTPUTS, Study
from tests.torture.test_disks import error_of, seen_run

# Of a checkout; braces are too much for DVC itself.
NASTY = [
    "two  blanks",
    'it\'s "quoted"',
    "흉부 사진",
    "🫁",
    "100% #1?",
    "a;b&c$HOME`",
    "[x]*",
    "-dash",
]  # braces are too much for DVC itself
LINE_END = "two\nlines"


def test_a_checkout_whose_path_holds_anything_ends_as_any_other(finished, tmp_path, tried):
    folder = tmp_path.joinpath(*NASTY) / "cxrbench"
    folder.parent.mkdir(parents=True)
    study = finished.copy(folder)
    study.forget_runs()
    study.run("dvc", "repro")
    for path in ("data/train-grid", "data/split"):
        assert study.content(path) == finished.content(path)
    study.forget("data/train-grid")
    shutil.move(folder / ".cxrbench" / "runs", folder.parent / "store of runs")
    told = study.run("stage:train_grid", CXRBENCH_STORE=str(folder.parent / "store of runs"))
    assert "4 in the store, 0 to train" in told
    shutil.move(folder.parent / "store of runs", folder / ".cxrbench" / "runs")
    assert "4 were there" in study.run("cxrbench", "track")
    for words in (("pack", "packed"), ("views", ".cxrbench/phantoms", "--out", "views.csv"), ("grid",)):
        study.run("cxrbench", *words)
    tried(f"a checkout below {' / '.join(NASTY)}", 1, "")


@pytest.mark.parametrize("name", [*NASTY, "{y}", LINE_END])
def test_images_whose_paths_hold_anything_are_read_or_named(name, study, tried):
    images = sorted((study.folder / ".cxrbench/phantoms").rglob("*.jpg"))[:8]
    for number, image in enumerate(images):
        target = study.folder / "images" / name / f"{name} {number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target)
    told = study.run("cxrbench", "views", "images", "--out", f"{name}.csv")
    assert "0 that cannot be used" in told
    assert len((study.folder / f"{name}.csv").read_bytes()) > 100
    tried("folders and images named so: " + name.replace("\n", "\\n"), len(images), "")


def test_a_checkout_whose_path_holds_a_line_end_is_refused_or_works(finished, tmp_path, tried):
    folder = tmp_path / LINE_END / "cxrbench"
    folder.parent.mkdir()
    study, told = finished.copy(folder), []
    for stage, (output, *_) in OUTPUTS.items():
        study.forget(output)
        done = seen_run(Study(folder), f"stage:{stage}")
        if done.returncode:
            told.append(error_of(done.stdout))
        else:
            assert study.content(output) == finished.content(output)
    tried("a checkout whose path holds a line end", len(OUTPUTS), told[0] if told else "")
