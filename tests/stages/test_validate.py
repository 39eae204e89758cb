"""The stage on tables that the split stage made of forty images: what it writes, says, and where it stops."""

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import TABLES, empty, read_table, write_table
from cxrbench.stages import split, validate
from cxrbench.views import sampling

PARAMS = Path(__file__).parents[2] / "params.yaml"
QUOTAS = {part: {"normal": 4, "pneumonia": 4} for part in ("train", "validation", "test")}
VIEW_QUOTAS = {part: {"frontal": 2, "lateral": 2} for part in ("train", "validation")}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace in which every stage before validate has run, at half of the quotas."""
    monkeypatch.chdir(tmp_path)
    tree = yaml.safe_load(PARAMS.read_text())
    tree["cohorts"] = {"pneumonia": tree["cohorts"]["pneumonia"]}
    tree["studies"] = {}
    tree["views"]["quotas"] = VIEW_QUOTAS
    tree["split"] |= {"quotas": {"pneumonia": QUOTAS}, "scale": 0.5}
    Path("params.yaml").write_text(yaml.safe_dump(tree))

    rows = [
        {
            **dict.fromkeys(TABLES["manifest"], ""),
            "cohort": "pneumonia",
            "image_id": f"i{number:02}",
            "path": f"images/{number:02}.png",
            "sha256": f"{number:064x}",
            "width": 64,
            "height": 64,
            "bytes": 1,
            "label": "normal" if number % 2 else "pneumonia",
            "view": "frontal" if number < 20 else "lateral",
            "patient_id": f"p{number:02}",
            "source_part": ("train", "validation", "test")[number // 2 % 3],
        }
        for number in range(40)
    ]
    manifest = pd.DataFrame(rows).astype(TABLES["manifest"])
    frontal = manifest[manifest["view"] == "frontal"].assign(view_by="metadata", view_score=float("nan"))
    write_table("data/download/manifest.csv", manifest, "manifest")
    write_table("data/download/rejects.csv", empty("rejects"), "rejects")
    write_table("data/view-filter/manifest.csv", frontal, "frontal")
    write_table("data/view-filter/review.csv", empty("review"), "review")
    views = sampling.assign(manifest, VIEW_QUOTAS, 0, "pneumonia")
    write_table("data/view-filter/assignment.csv", views, "assignment")
    split.main()
    return tmp_path


def verdict() -> dict:
    return json.loads(Path("data/validate/verdict.json").read_text())


def change(path: str, table: str, column: str, value: object) -> None:
    """Puts one value into the first row of a table on disk."""
    frame = read_table(path, table)
    frame.loc[0, column] = value
    write_table(path, frame, table)


def test_what_the_stages_before_made_passes_and_the_verdict_says_so(workspace, capsys) -> None:
    capsys.readouterr()
    validate.main()
    found = verdict()
    assert (found["passed"], found["critical_failures"], found["warnings"]) == (True, 0, 0)
    assert found["checks"] == len(found["outcomes"]) > 50
    assert "pneumonia, paper protocol, train: 2 normal images" in {entry["check"] for entry in found["outcomes"]}
    assert capsys.readouterr().out.splitlines() == [
        f"{found['checks']} checks of 6 tables: 0 critical failures, 0 warnings; see data/validate/docs/index.html"
    ]


def test_a_warning_is_one_line_and_does_not_stop(workspace, capsys) -> None:
    change("data/download/manifest.csv", "manifest", "label", "Pneumonia")
    capsys.readouterr()
    validate.main()
    assert capsys.readouterr().out.splitlines()[0] == (
        "warning: 'pneumonia: every label is normal or pneumonia, or empty' fails on table manifest:"
        " 1 of 40 rows (pneumonia i00: images/00.png)"
    )
    assert (verdict()["passed"], verdict()["warnings"]) == (True, 1)


def test_a_critical_failure_writes_verdict_and_pages_before_it_stops(workspace) -> None:
    change("data/view-filter/manifest.csv", "frontal", "view", "lateral")
    with pytest.raises(CxrbenchError, match=r"every image is frontal.* frontal: 1 of 20 rows .*images/00\.png"):
        validate.main()
    assert not verdict()["passed"]
    (failure,) = (entry for entry in verdict()["outcomes"] if not entry["passed"])
    assert failure["examples"] == ["pneumonia i00: images/00.png"]
    assert "every image is frontal" in Path("data/validate/docs/index.html").read_text()


def test_the_verdict_of_the_same_tables_is_the_same_text(workspace) -> None:
    texts = []
    for _ in range(2):
        validate.main()
        texts.append(Path("data/validate/verdict.json").read_text())
    assert texts[0] == texts[1]


def test_the_stage_alone_exits_with_1_on_a_critical_failure(workspace, capsys) -> None:
    change("data/download/manifest.csv", "manifest", "sha256", "12")
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(validate.__file__, run_name="__main__")
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith("error: the check 'every sha256 is 64 hexadecimal digits' fails")


def test_a_table_that_is_missing_is_named(workspace) -> None:
    Path("data/split/leaks.csv").unlink()
    with pytest.raises(CxrbenchError, match=r"data/split/leaks\.csv does not exist"):
        validate.main()
