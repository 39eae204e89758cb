"""Stage split, on a frontal manifest of a few rows."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import PROTOCOLS, TABLES, read_table, write_table
from cxrbench.stages import split

COMMITTED = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
QUOTAS = {part: {"normal": 8, "pneumonia": 4} for part in ("train", "validation", "test")}


def frontal(cohort, label, count, parts):
    rows = [
        {
            **{name: 0 if kind == "int64" else "" for name, kind in TABLES["frontal"].items()},
            "cohort": cohort,
            "image_id": f"{label}{n:02}",
            "path": f"{cohort}/{label}{n:02}.png",
            "sha256": f"{cohort}-{label}{n:02}",
            "label": label,
            "patient_id": f"{label}{n // 2:02}",
            "source_part": parts[n // 2 % len(parts)],
            "view_by": "metadata",
            "view_score": float("nan"),
        }
        for n in range(count)
    ]
    return pd.DataFrame(rows, columns=list(TABLES["frontal"]))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(quotas=QUOTAS, parts=("train", "validation", "test"), **changes):
        cohort = {"source": "directory", "root": "x", "positive": "pneumonia", "negative": "normal"}
        tree = COMMITTED | {"cohorts": {"kids": cohort, "other": cohort}, "studies": {}}
        tree["views"] = COMMITTED["views"] | {"cohort": "kids"}
        tree["split"] = {"quotas": {"kids": quotas}, "scale": 0.5, "official_shortfall": 0.0, "seed": 0} | changes
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
        cells = (("kids", "normal", 24), ("kids", "pneumonia", 12), ("kids", "", 4), ("other", "normal", 4))
        manifest = pd.concat(frontal(*cell, parts) for cell in cells)
        write_table("data/view-filter/manifest.csv", manifest, "frontal")
        view = dict.fromkeys(PROTOCOLS, "train") | {"cohort": "views", "label": "lateral", "target": 0}
        views = pd.DataFrame([dict.fromkeys(TABLES["assignment"], "v") | view])
        write_table("data/view-filter/assignment.csv", views, "assignment")

    return write


def test_quotas_are_scaled_and_filled_under_each_protocol_and_view_rows_pass_through(workspace, capsys):
    workspace()
    split.main()
    table = read_table("data/split/assignment.csv", "assignment")
    kids = table[table["cohort"] == "kids"]
    assert len(kids) == 36  # labelled images of cohorts that have quotas, used or not
    for protocol in PROTOCOLS:
        for part in ("train", "validation", "test"):
            assert kids[kids[protocol] == part]["label"].value_counts().to_dict() == {"normal": 4, "pneumonia": 2}
    assert ((kids["label"] == "pneumonia") == (kids["target"] == 1)).all()
    views = table[table["cohort"] == "views"]
    assert views.iloc[0].to_dict() == read_table("data/view-filter/assignment.csv", "assignment").iloc[0].to_dict()
    assert set(table["cohort"]) == {"kids", "views"}
    assert "kids         paper     train 4 normal + 2 pneumonia; validation" in capsys.readouterr().out


def test_the_leak_report_covers_the_split_cohorts(workspace):
    workspace()
    split.main()
    leaks = read_table("data/split/leaks.csv", "leaks")
    assert set(leaks["cohort"]) == {"kids"}
    assert set(leaks["protocol"]) == set(PROTOCOLS)
    assert not leaks.query("protocol == 'patient'")["groups"].any()


def test_a_source_without_a_split_is_told_and_the_other_protocols_are_filled(workspace, capsys):
    workspace(parts=("",))
    split.main()
    table = read_table("data/split/assignment.csv", "assignment").query("cohort == 'kids'")
    assert not table["official"].any()
    assert table["patient"].any()
    assert "official  left empty: the source has no split of its own" in capsys.readouterr().out


def test_what_official_training_lacks_is_told(workspace, capsys):
    few = {**QUOTAS, "train": {"normal": 24, "pneumonia": 12}}
    workspace(quotas=few, parts=("train", "validation", "test", "train"), official_shortfall=0.1)
    split.main()
    assert "lacks" not in capsys.readouterr().out
    workspace(quotas=few, official_shortfall=0.5)
    split.main()
    assert "; train lacks 4 normal + 2 pneumonia" in capsys.readouterr().out


def test_a_quota_that_cannot_be_filled_stops_the_stage_and_leaves_no_table(workspace):
    workspace(scale=4.0)
    with pytest.raises(CxrbenchError, match=r"cohort 'kids', protocol paper: part .* needs"):
        split.main()
    assert not Path("data/split/assignment.csv").exists()
