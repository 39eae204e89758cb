"""A packed experiment gives the same report anywhere, holds no path and no pixel, and a changed byte is found."""

import dataclasses
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench import cli
from cxrbench.base.origins import Origin, write_origins
from cxrbench.base.tables import TABLES
from cxrbench.config import params as parameters
from cxrbench.reporting import pack
from cxrbench.reporting.context import context_of, rules_of
from cxrbench.reporting.results import read_results
from tests.stages.conftest import files_of

pytestmark = pytest.mark.slow

PAPERS = Path(__file__).resolve().parents[2] / "data" / "published"


@pytest.fixture(scope="module")
def packed(reported_workspace, tmp_path_factory):
    """The result set of a workspace with its report."""
    folder = tmp_path_factory.mktemp("packed") / "set"
    runs = sorted(path.name for path in (reported_workspace / "data/train-grid").iterdir() if path.is_dir())
    write_origins(reported_workspace / "data/train-grid", [Origin(runs, "1" * 40, True, {"data/split": "2" * 32})])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(reported_workspace)
        assert cli.main(["pack", str(folder), "--made-by", "dvc exp run -S lr=0.01"]) == 0
    return folder


def report_from(folder, to, *more):
    return cli.main(["report", "--from", str(folder), "--to", str(to), "--papers", str(PAPERS), *more])


def test_the_report_is_made_again_byte_for_byte_without_the_workspace(packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moved = shutil.copytree(packed, tmp_path / "moved")
    assert report_from(moved, tmp_path / "again") == 0
    assert files_of(tmp_path / "again") == files_of(packed / "report")


def test_a_report_is_made_again_in_the_language_that_is_asked_for(packed, tmp_path):
    assert report_from(packed, tmp_path / "ko", "--language", "ko") == 0
    page = (tmp_path / "ko/report.html").read_text(encoding="utf-8")
    assert '<html lang="ko">' in page
    assert "본 연구의 실행 결과는" in page
    assert '<html lang="en">' in (packed / "report/report.html").read_text(encoding="utf-8")
    assert (tmp_path / "ko/metrics.json").read_bytes() == (packed / "report/metrics.json").read_bytes()


def test_its_report_says_where_the_runs_come_from_and_how_to_make_them_again(packed):
    page = (packed / "report" / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="provenance">') :]
    for told in ("1" * 40, "2" * 32, "a" * 64, "dvc exp run -S lr=0.01", f"git checkout {'1' * 40}"):
        assert f">{told}<" in section


def test_it_says_of_every_claim_what_the_experiments_own_report_says(packed, reported_workspace):
    own, again = (pd.read_csv(at / "tables/claims.csv") for at in (reported_workspace / "reports", packed / "report"))
    words = ["claim", "verdict", "seeds", "setting", "rival", "reason", "figures"]
    assert own[words].equals(again[words])
    numbers = ["difference", "low", "high", "false_least", "false_most", "false_ours"]
    pd.testing.assert_frame_equal(own[numbers], again[numbers], atol=1e-7)


def test_packing_twice_gives_the_same_bytes(packed, reported_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(reported_workspace)
    assert cli.main(["pack", str(tmp_path / "again"), "--made-by", "dvc exp run -S lr=0.01"]) == 0
    assert files_of(tmp_path / "again") == files_of(packed)


def test_it_holds_no_path_of_the_machine_and_no_picture(packed, reported_workspace):
    import gzip

    for name, content in files_of(packed).items():
        plain = gzip.decompress(content) if name.suffix == ".gz" else content
        assert str(reported_workspace).encode() not in plain, name
        assert b"data:image" not in plain, name
    assert json.loads((packed / "pack.json").read_text())["command"] == "dvc exp run -S lr=0.01"


@pytest.mark.parametrize("name", ["scores-0.csv.gz", "records.json", "params.yaml", "assignment.csv.gz"])
@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_changed_byte_or_a_missing_file_is_named(packed, tmp_path, capsys, name, damage):
    folder = shutil.copytree(packed, tmp_path / "set")
    if damage == "remove":
        (folder / name).unlink()
    else:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
    assert report_from(folder, tmp_path / "out") == 1
    assert f"{folder / name} is missing or was changed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "holds no pack.json"), ("{", "is damaged"), ("{}", "is not of form 1"), ("[]", "is not of form 1")],
)
def test_a_folder_that_is_no_result_set_is_one_sentence(tmp_path, capsys, text, message):
    if text:
        (tmp_path / "pack.json").write_text(text)
    assert report_from(tmp_path, tmp_path / "out") == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("key", ["rules", "sha256", "command"])
def test_a_changed_index_is_found(packed, tmp_path, capsys, key):
    folder = shutil.copytree(packed, tmp_path / "set")
    told = json.loads((folder / "pack.json").read_text())
    told[key] = {"margin": 0.5} if key == "rules" else {}
    (folder / "pack.json").write_text(json.dumps(told))
    assert report_from(folder, tmp_path / "out") == 1
    assert "pack.json was changed" in capsys.readouterr().err


def test_a_folder_that_holds_something_is_not_written_into(packed, reported_workspace, monkeypatch, capsys):
    monkeypatch.chdir(reported_workspace)
    before = files_of(packed)
    assert cli.main(["pack", str(packed)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert files_of(packed) == before


def test_a_pack_that_was_killed_half_way_does_not_stand_in_the_way_of_the_next(
    packed, reported_workspace, tmp_path, monkeypatch
):
    def killed(*_):
        raise SystemExit  # as by a signal: the command never ends

    monkeypatch.chdir(reported_workspace)
    with monkeypatch.context() as patch:
        patch.setattr("cxrbench.base.files.shutil.rmtree", lambda *_, **__: None)  # nor does it tidy up
        patch.setattr("cxrbench.reporting.report.write_report", killed)
        with pytest.raises(SystemExit):
            cli.main(["pack", str(tmp_path / "set")])
    assert not (tmp_path / "set").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["set.unfinished"]
    assert cli.main(["pack", str(tmp_path / "set"), "--made-by", "dvc exp run -S lr=0.01"]) == 0
    assert files_of(tmp_path / "set") == files_of(packed)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_an_experiment_with_a_restricted_cohort_is_refused_and_nothing_written(
    reported_workspace, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(shutil.copytree(reported_workspace, tmp_path / "restricted"))
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["cohorts"]["pneumonia"]["restricted"], tree["kept"] = True, "here/../"
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    assert cli.main(["pack", "set"]) == 1
    assert "cohorts pneumonia are restricted" in capsys.readouterr().err
    assert not Path("set").exists()


def test_the_shares_of_attention_are_in_it_and_its_pictures_are_not(reported_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(reported_workspace)
    params = parameters.load()
    row = dict.fromkeys(TABLES["attention"], "a") | {"seed": 0, "score": 0.7, "inside": 0.25, "area": 0.5}
    table = pd.DataFrame([row, row | {"inside": float("nan"), "picture": ""}])
    results = dataclasses.replace(read_results(Path("data")), attention=table, pictures={"a": b"the pixels"})
    how = (results, context_of(params), rules_of(params.report), Path("params.yaml").read_text())
    pack.write_pack(tmp_path / "set", *how)
    back, _, _ = pack.read_pack(tmp_path / "set")
    pd.testing.assert_frame_equal(back.attention, table, check_dtype=False)
    assert back.pictures == {}
    assert not any(b"the pixels" in content for content in files_of(tmp_path / "set").values())
    monkeypatch.setattr(pack, "KEPT", pack.SPLIT)  # as an earlier version wrote it
    pack.write_pack(tmp_path / "earlier", *how)
    monkeypatch.undo()
    assert pack.read_pack(tmp_path / "earlier")[0].attention.empty
