"""``cxrbench new``: from a folder of images to the two files of conf/ that its study needs."""

import shutil
import zipfile
from pathlib import Path

import pytest
from dvc.utils.hydra import compose_and_dump

from cxrbench import cli
from cxrbench.config import params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace with the conf/ of this one; below it is the command's own unpacking place."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "conf", folder / "conf")
    (folder / "dvc.yaml").touch()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CXRBENCH_FETCHED", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("NAME", "EMAIL"):
        monkeypatch.delenv(f"GIT_COMMITTER_{name}", raising=False)
    return folder


def images(root, **classes):
    """Empty files in a folder a class: names of files say enough at first."""
    for label, names in classes.items():
        for name in names:
            (root / label / name).parent.mkdir(parents=True, exist_ok=True)
            (root / label / name).touch()
    return root


def composed(workspace, *overrides):
    compose_and_dump(workspace / "params.yaml", str(workspace / "conf"), None, "config", None, list(overrides))
    return params.load(workspace / "params.yaml")


NUMBERS = [f"{n}.png" for n in range(6)]


def test_a_korean_folder_with_a_blank_becomes_a_study_that_composes(workspace, tmp_path, capsys):
    root = images(tmp_path / "흉부 ${사진} #1's", 정상=NUMBERS, 폐렴=NUMBERS[:5], __MACOSX=["._0.png"])
    assert cli.main(["new", str(root)]) == 0
    said = capsys.readouterr().out
    assert "정상 (6), 폐렴 (5); skipped: 1 hidden files" in said
    assert "find '폐렴' (positive) among '정상' (negative)" in said
    assert 'git config --global user.name "Your Name"' in said
    assert "\n    dvc exp run -S data=mine -S grid=mine    # trains" in said
    loaded = composed(workspace, "data=mine", "grid=mine")
    assert Path(loaded.cohorts["mine"].root) == root
    assert {run.setting.cohort for run in loaded.planned_runs()} == {"mine"}
    assert loaded.split.quotas == {"mine": "auto"}
    assert set(loaded.cohorts) == {"mine", "phantom"}


def test_the_zip_of_a_folder_in_a_folder_is_read_and_stays_the_root(workspace, tmp_path, capsys):
    archive = tmp_path / "chest images.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for label in ("Normal", "Pneumonia"):
            packed.writestr(f"chest images/train/{label}/1.png", "")
            packed.writestr(f"chest images/test/{label}/2.png", "")
            packed.writestr(f"__MACOSX/chest images/train/{label}/._1.png", "")
    assert cli.main(["new", str(archive), "--name", "packed"]) == 0
    assert "normal (2), pneumonia (2); its own parts are train, test" in capsys.readouterr().out
    assert composed(workspace, "data=packed", "grid=packed").cohorts["packed"].root == str(archive)


def test_patients_are_asked_for_and_then_taken_from_file_names(workspace, tmp_path, capsys):
    names = [f"P{who:03}_{image}.png" for who in range(9) for image in range(1 + who % 2)]
    root = images(tmp_path / "images", normal=names, ill=NUMBERS[:1])
    assert cli.main(["new", str(root)]) == 0
    assert "if P001_0 and P001_1 are of one person" in capsys.readouterr().out
    assert cli.main(["new", str(root), "--replace", "--file-names", "{patient}_*"]) == 0
    said = capsys.readouterr().out
    assert "patients: 9\n" in said
    assert "1 of 14 file names do not have the form" in said
    assert composed(workspace, "data=mine", "grid=mine").cohorts["mine"].file_names == "{patient}_*"


def test_a_table_takes_the_place_of_class_folders(workspace, tmp_path, capsys):
    rows = "".join(f"{n}.png,{n % 2},p{n // 2}\n" for n in range(6))
    (tmp_path / "list.csv").write_text("file,target,patient\n" + rows)
    assert cli.main(["new", str(tmp_path), "--table", "list.csv"]) == 0
    said = capsys.readouterr().out
    assert "find '1' (positive) among '0' (negative)" in said
    assert "patients: 3\n" in said
    assert composed(workspace, "data=mine", "grid=mine").cohorts["mine"].table == "list.csv"


def test_the_columns_of_a_table_are_named_on_the_command_line(workspace, tmp_path, capsys):
    rows = "".join(f"{n}.png,{n % 2},{1 - n % 2}\n" for n in range(6))
    (tmp_path / "list.csv").write_text("영상,${Pneumonia},No Finding\n" + rows, encoding="utf-8")
    new = ["new", str(tmp_path), "--table", "list.csv", "--positive", "${pneumonia}", "--negative", "No Finding"]
    assert cli.main(new) == 1
    assert "--column 'path=ITS NAME'" in capsys.readouterr().err
    assert cli.main([*new, "--column", "path=영상"]) == 0
    assert "no finding (3), ${pneumonia} (3)" in capsys.readouterr().out
    cohort = composed(workspace, "data=mine", "grid=mine").cohorts["mine"]
    assert (cohort.columns, cohort.positive, cohort.negative) == ({"path": "영상"}, "${pneumonia}", "no finding")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "holds covid (6), normal (6), pneumonia (6); say which two to tell apart: --positive"),
        (["--positive", "Covid"], "say which two to tell apart"),
        (["--positive", "flu"], "has no class 'flu'; its classes are covid (6), normal (6), pneumonia (6)"),
        (["--positive", "covid", "--negative", "normal", "--name", "views"], "--name 'views' must be letters"),
        (["--positive", "covid", "--negative", "normal", "--name", "kaggle", "--replace"], "kaggle.yaml is there"),
        (["--positive", "covid", "--negative", "normal", "--file-names", "*"], "must hold {patient} once"),
    ],
)
def test_what_is_not_plain_is_one_sentence_and_writes_nothing(workspace, tmp_path, capsys, options, said):
    root = images(tmp_path / "images", normal=NUMBERS, covid=NUMBERS, pneumonia=NUMBERS)
    before = sorted((workspace / "conf").rglob("*"))
    assert cli.main(["new", str(root), *options]) == 1
    assert said in capsys.readouterr().err
    assert sorted((workspace / "conf").rglob("*")) == before


def test_a_folder_too_high_up_is_told_from_the_one_that_is_meant(workspace, tmp_path, capsys):
    root = images(tmp_path / "images" / "chest", normal=NUMBERS, covid=NUMBERS)
    assert cli.main(["new", str(root.parent)]) == 1
    assert f"did you mean {root}?" in capsys.readouterr().err


def test_files_that_are_there_are_kept_unless_they_are_to_be_replaced(workspace, tmp_path, capsys):
    root = images(tmp_path / "images", normal=NUMBERS, covid=NUMBERS)
    assert cli.main(["new", str(root)]) == 0
    assert cli.main(["new", str(root)]) == 1
    assert "conf/data/mine.yaml is there already" in capsys.readouterr().err
    assert cli.main(["new", str(root), "--replace"]) == 0
