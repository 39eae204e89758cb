"""A checkout, a run store and a folder of images whose paths hold what people and file browsers put into names."""

import shutil

import pandas as pd

from tests.torture.study import OUTPUTS, TRAINS, error_of

# Of a checkout; braces are too much for DVC itself, and an apostrophe for MLflow's own SQL.
NASTY = [
    "two  blanks",
    '"quoted"',
    "흉부 사진",
    "🫁",
    "100% #1?",
    "a;b&c$HOME`",
    "[x]*",
    "-dash",
]
LINE_END = "two\nlines"


def test_a_checkout_whose_path_holds_anything_ends_as_any_other(finished, tmp_path, tried):
    folder = tmp_path.joinpath(*NASTY) / "cxrbench"
    folder.parent.mkdir(parents=True)
    study = finished.copy(folder)
    study.forget_runs()
    assert "4 to train" in study.run(*TRAINS)
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
    tried("blanks, quotes, Hangul, an emoji and what shells read", len(NASTY), "")


def test_images_whose_paths_hold_anything_are_read(study, tried):
    names = [*NASTY, "it's", "{y}", LINE_END]
    images = sorted((study.folder / ".cxrbench/phantoms").rglob("*.jpg"))
    for number, name in enumerate(names):
        target = study.folder / "images" / name / f"{name} {number}.jpg"
        target.parent.mkdir(parents=True)
        shutil.copy(images[number], target)
    told = study.run("cxrbench", "views", "images", "--out", f"{''.join(NASTY)}.csv")
    assert "0 that cannot be used" in told
    listed = pd.read_csv(study.folder / f"{''.join(NASTY)}.csv", dtype=str)
    assert len(listed) == len(names)
    told = listed.to_csv(index=False).replace('""', '"')
    assert [name for name in names if name not in told] == []
    tried("the same, an apostrophe, braces and a line end", len(names), "")


def test_a_checkout_whose_path_holds_a_line_end_is_refused_or_works(finished, tmp_path, tried):
    folder = tmp_path / LINE_END / "cxrbench"
    folder.parent.mkdir()
    study, told = finished.copy(folder), []
    for stage, (output, *_) in OUTPUTS.items():
        study.forget(output)
        code, said = study.ended(f"stage:{stage}")
        if code:
            told.append(error_of(said))
            shutil.copytree(finished.folder / output, folder / output)
        else:
            assert study.content(output) == finished.content(output)
    told = [one.replace(" ".join(str(folder).split()), "") for one in told]
    tried("each stage", len(OUTPUTS), told[0] if told else "")
