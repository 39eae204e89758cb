"""The stage on tiny tables: what it writes, says, and where it stops; and on what the split stage really writes."""

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES, empty, read_table, write_table
from cxrbench.stages import split, validate
from cxrbench.views import sampling
from tests.checks import good

PARAMS = Path(__file__).parents[2] / "params.yaml"


def write_params(quotas: dict, view_quotas: dict, **of_split: object) -> None:
    """params.yaml of one cohort, 'a'."""
    tree = yaml.safe_load(PARAMS.read_text())
    tree["cohorts"] = {"a": {"source": "directory", "root": "images", "positive": "pneumonia", "negative": "normal"}}
    tree["studies"] = {}
    tree["views"]["quotas"] = {"a": view_quotas}
    tree["split"] |= {"quotas": {"a": quotas}, **of_split}
    Path("params.yaml").write_text(yaml.safe_dump(tree))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace whose tables pass every check."""
    monkeypatch.chdir(tmp_path)
    write_params(good.QUOTAS["a"], good.QUOTAS["views"], official_shortfall=good.SHORTFALL)
    for table, frame in good.data_tables().items():
        write_table(validate.TABLES[table], frame, table)
    return tmp_path


def verdict() -> dict:
    return json.loads(Path("data/validate/verdict.json").read_text())


def change(table: str, column: str, value: object, rows: slice = slice(0, 0)) -> None:
    """Puts one value into rows of a table on disk, the first by default."""
    frame = read_table(validate.TABLES[table], table)
    frame.loc[rows, column] = value
    write_table(validate.TABLES[table], frame, table)


def test_good_tables_pass_and_the_verdict_says_so(workspace, capsys) -> None:
    validate.main()
    found = verdict()
    assert (found["passed"], found["critical_failures"], found["warnings"]) == (True, 0, 0)
    assert found["checks"] == len(found["outcomes"]) > 100
    assert capsys.readouterr().out.splitlines() == [
        f"{found['checks']} checks of 10 tables: 0 critical failures, 0 warnings; see data/validate/docs/index.html"
    ]


def test_a_warning_names_its_rows_and_does_not_stop(workspace, capsys) -> None:
    change("manifest", "label", "Pneumonia")
    validate.main()
    assert capsys.readouterr().out.splitlines()[:2] == [
        "warning: 'a: every label is normal or pneumonia, or empty' fails on table manifest: 1 of 19 rows",
        "    a i00: a/00.png [label 'Pneumonia']",
    ]
    assert (verdict()["passed"], verdict()["warnings"]) == (True, 1)


def test_a_critical_failure_prints_a_few_rows_writes_verdict_and_pages_and_exits_with_1(workspace, capsys) -> None:
    change("manifest", "sha256", "12", slice(0, 6))
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(validate.__file__, run_name="__main__")
    assert stop.value.code == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "critical: 'every sha256 is 64 hexadecimal digits' fails on table manifest: 7 of 19 rows",
        *(f"    a i0{number}: a/0{number}.png [sha256 '12']" for number in range(5)),
        "    and 2 more",
        f"{verdict()['checks']} checks of 10 tables: 1 critical failures, 0 warnings;"
        " see data/validate/docs/index.html",
    ]
    assert printed.err.startswith("error: the check 'every sha256 is 64 hexadecimal digits' fails")
    assert printed.err.count("\n") == 1
    assert not verdict()["passed"]
    (failure,) = (entry for entry in verdict()["outcomes"] if not entry["passed"])
    assert (failure["rows"], failure["examples"][0]) == (7, "a i00: a/00.png [sha256 '12']")
    assert "every sha256 is 64 hexadecimal digits" in Path("data/validate/docs/index.html").read_text()


def test_the_reading_of_params_yaml_decides_which_shared_patient_stops(workspace) -> None:
    leaks = read_table(validate.TABLES["leaks"], "leaks")
    shared = (leaks["protocol"] == "patient") & (leaks["kind"] == "patient, loose")
    write_table(validate.TABLES["leaks"], leaks.assign(groups=leaks["groups"].mask(shared, 1)), "leaks")
    write_params(good.QUOTAS["a"], good.QUOTAS["views"], official_shortfall=good.SHORTFALL, patients="loose")
    with pytest.raises(CxrbenchError, match=r"no two parts share a patient \(loose reading\)"):
        validate.main()


@pytest.mark.parametrize("table", ["duplicates", "leaks", "shortcuts", "redrawn", "redrawn_leaks"])
def test_a_table_that_is_missing_is_named(table, workspace) -> None:
    Path(validate.TABLES[table]).unlink()
    with pytest.raises(CxrbenchError, match=rf"data/split/{table}\.csv does not exist"):
        validate.main()


@pytest.mark.parametrize("redraw", [False, True])
def test_what_the_split_stage_writes_passes(redraw, tmp_path, monkeypatch, capsys) -> None:
    """At half of the quotas, from forty images of as many patients."""
    monkeypatch.chdir(tmp_path)
    view_quotas = {part: {"frontal": 2, "lateral": 2} for part in ("train", "validation")}
    write_params(
        {part: {"normal": 4, "pneumonia": 4} for part in ("train", "validation", "test")},
        view_quotas,
        scale=0.5,
        redraw=redraw,
    )
    tree = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump({**tree, "studies": {"s": {"cohort": "a"}}}))
    rows = [good.image(number, "", "lateral") for number in range(40)]
    manifest = pd.DataFrame(rows).astype(TABLES["manifest"])
    manifest["label"] = ["normal", "pneumonia"] * 20
    manifest.loc[:19, "view"] = "frontal"
    manifest["source_part"] = [("train", "validation", "test")[number // 2 % 3] for number in range(40)]
    manifest["bytes"] = range(100, 140)
    frontal = manifest[manifest["view"] == "frontal"].assign(view_by="metadata", view_score=float("nan"))
    write_table("data/download/manifest.csv", manifest, "manifest")
    write_table("data/download/rejects.csv", empty("rejects"), "rejects")
    write_table("data/view-filter/manifest.csv", frontal, "frontal")
    write_table("data/view-filter/review.csv", empty("review"), "review")
    views = sampling.assign(manifest, {"a": view_quotas}, 0)
    write_table("data/view-filter/assignment.csv", views, "assignment")
    split.main()
    validate.main()
    found = verdict()
    assert found["passed"]
    names = {entry["check"] for entry in found["outcomes"]}
    assert "a, paper protocol, train: 2 normal images" in names
    assert ("a, patient protocol, seed 2, train: 2 normal images" in names) == redraw
