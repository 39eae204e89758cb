"""Stage split, on manifests of a few rows."""

import io
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from cxrbench.base.assignment import IMAGE
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PROTOCOLS, TABLES, read_table, write_table
from cxrbench.images.perceptual import phash
from cxrbench.stages import split

COMMITTED = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
QUOTAS = {part: {"normal": 8, "pneumonia": 4} for part in ("train", "validation", "test")}


def frontal(cohort, label, count, parts):
    """Images of two a patient; loosely read, patients of an even number are two persons each."""
    rows = [
        {
            **{name: 0 if kind == "int64" else "" for name, kind in TABLES["frontal"].items()},
            "cohort": cohort,
            "image_id": f"{label}{n:02}",
            "path": f"{cohort}/{label}{n:02}.png",
            "sha256": f"{cohort}-{label}{n:02}",
            "phash": np.random.default_rng([len(cohort), len(label), n]).bytes(32).hex(),
            "width": 30,
            "height": 40,
            "bytes": 100 + n,
            "mode": "L",
            "brightness": 90.0,
            "border": 0.0,
            "label": label,
            "patient_id": f"{label}{n // 2:02}",
            "patient_id_loose": f"{label}{n // 2:02}" + ("" if n // 2 % 2 else f"_{n % 2}"),
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
    monkeypatch.setenv("CXRBENCH_STORE", str(tmp_path / "store"))

    def write(quotas=QUOTAS, parts=("train", "validation", "test"), change=lambda manifest: None, **changes):
        cohort = {"source": "directory", "root": "x", "positive": "pneumonia", "negative": "normal"}
        tree = COMMITTED | {"cohorts": {"kids": cohort, "other": cohort}, "studies": {}}
        views = {part: {"frontal": 2, "lateral": 1} for part in ("train", "validation")}
        tree["views"] = COMMITTED["views"] | {"quotas": {"kids": views}}
        tree["split"] = {"quotas": {"kids": quotas}, "scale": 0.5, "official_shortfall": 0.0, "seed": 0} | changes
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
        cells = (("kids", "normal", 24), ("kids", "pneumonia", 12), ("kids", "", 4), ("other", "normal", 4))
        manifest = pd.concat([frontal(*cell, parts) for cell in cells], ignore_index=True)
        change(manifest)
        write_table("data/download/manifest.csv", manifest[list(TABLES["manifest"])], "manifest")
        write_table("data/view-filter/manifest.csv", manifest, "frontal")
        view = dict.fromkeys(PROTOCOLS, "train") | {"cohort": "views", "label": "frontal", "target": 1}
        view |= {"source": "kids", "image_id": "normal00", "patient_id": "normal00", "sha256": "kids-normal00"}
        other = view | {"image_id": "normal01", "sha256": "kids-normal01"} | dict.fromkeys(PROTOCOLS, "test")
        views = pd.DataFrame([{"path": "v", **view}, {"path": "w", **other}])
        write_table("data/view-filter/assignment.csv", views[list(TABLES["assignment"])], "assignment")

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
    views = table[table["cohort"] == "views"].reset_index(drop=True)
    pd.testing.assert_frame_equal(views, read_table("data/view-filter/assignment.csv", "assignment"))
    assert set(table["cohort"]) == {"kids", "views"}
    assert "kids         paper     train 4 normal + 2 pneumonia; validation" in capsys.readouterr().out


def test_the_leak_report_covers_the_split_cohorts_and_the_views(workspace, capsys):
    workspace()
    split.main()
    leaks = read_table("data/split/leaks.csv", "leaks")
    assert set(leaks["cohort"]) == {"kids", "views"}
    assert set(leaks["protocol"]) == {*PROTOCOLS, ""}
    patient = leaks[(leaks["cohort"] == "kids") & (leaks["protocol"] == "patient")]
    assert len(patient) == 12
    assert not patient["groups"].any()
    views = leaks[(leaks["cohort"] == "views") & (leaks["groups"] > 0)]
    assert set(views["kind"]) == {"patient, strict"}
    assert (
        "train and test under paper: 1 patient strict; train and test under patient: 1 patient strict"
        in capsys.readouterr().out
    )


def test_loose_patients_may_stand_in_two_parts_under_the_strict_reading_and_the_report_says_so(workspace):
    workspace(patients="loose")
    split.main()
    table = read_table("data/split/assignment.csv", "assignment").query("cohort == 'kids'")
    assert table["patient_id"].str.contains("_").any()
    leaks = read_table("data/split/leaks.csv", "leaks").query("cohort == 'kids' and protocol == 'patient'")
    groups = leaks.groupby("kind")["groups"].sum()
    assert groups["patient, loose"] == 0
    assert groups["patient, strict"] > 0


def test_one_picture_in_two_files_joins_its_patients_and_is_told(workspace, capsys):
    def plant(manifest):
        """Patients normal00 and normal05 share a picture, pneumonia00 and normal07 a file."""
        one, other, file, again = (
            manifest.index[(manifest["cohort"] == "kids") & (manifest["image_id"] == name)][0]
            for name in ("normal00", "normal10", "pneumonia00", "normal14")
        )
        Path("kids").mkdir(exist_ok=True)
        noise = np.random.default_rng(0).integers(0, 256, (30, 30), dtype=np.uint8)
        picture = Image.fromarray(noise).resize((120, 120), Image.Resampling.BICUBIC)
        for row in manifest.index[manifest["cohort"] == "kids"]:  # every file is there, most of them other pictures
            shown = picture if row == one else picture.resize((90, 100)) if row == other else Image.new("L", (20, 20))
            buffer = io.BytesIO()
            shown.save(buffer, "PNG")
            Path(manifest.loc[row, "path"]).write_bytes(buffer.getvalue() + str(row).encode())
            if row in (one, other):
                manifest.loc[row, "phash"] = phash(shown)
        manifest["sha256"] = [
            sha256(Path(path).read_bytes()).hexdigest() if Path(path).exists() else old
            for path, old in zip(manifest["path"], manifest["sha256"])
        ]
        for column in ("sha256", "phash", "path"):
            manifest.loc[again, column] = manifest.loc[file, column]

    workspace(change=plant)
    split.main()
    pairs = read_table("data/split/duplicates.csv", "duplicates")
    assert pairs[["cohort", "image_a", "image_b", "kind"]].values.tolist() == [
        ["kids", "normal00", "normal10", "near-duplicate"],
        ["kids", "normal14", "pneumonia00", "identical file"],
    ]
    table = read_table("data/split/assignment.csv", "assignment").query("cohort == 'kids'").set_index("image_id")
    assert table.loc["normal00", "patient"] == table.loc["normal10", "patient"]
    assert table.loc["normal14", "patient"] == table.loc["pneumonia00", "patient"]
    leaks = read_table("data/split/leaks.csv", "leaks").query("cohort == 'kids'")
    assert not leaks.query("protocol == 'patient'")["groups"].any()
    labels = leaks[leaks["across"] == "labels"].set_index("kind")
    assert labels.loc["identical file", ["groups", "images", "examples"]].tolist() == [1, 1, "pneumonia00"]
    assert labels.loc["near-duplicate", "groups"] == 0
    told = capsys.readouterr().out
    assert "pairs of one picture: 1 identical file, 1 near-duplicate; pictures under two labels: 1; train and" in told


def test_shortcuts_are_written_for_each_protocol(workspace):
    workspace()
    split.main()
    table = read_table("data/split/shortcuts.csv", "shortcuts")
    assert set(table["cohort"]) == {"kids"}
    assert table.groupby("protocol").size().to_dict() == dict.fromkeys(PROTOCOLS, 6)
    assert (table["n"] == 6).all()
    assert (table[table["feature"] == "border"]["auc"] == 0.5).all()


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


def test_a_quota_that_cannot_be_filled_stops_the_stage_at_once_and_leaves_no_table(workspace, monkeypatch):
    workspace(scale=4.0)
    monkeypatch.setattr(
        "cxrbench.splits.division.find_duplicates", None
    )  # hours on a large cohort: not before the quotas are known
    with pytest.raises(CxrbenchError, match=r"cohort 'kids': part .* needs"):
        split.main()
    assert not Path("data/split").exists()


def with_study(**of_split):
    """Adds to params.yaml a study of cohort kids."""
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["studies"], tree["seeds"] = {"s": {"cohort": "kids"}}, [0, 5]
    tree["split"] |= of_split
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def test_redrawn_splits_are_written_for_each_seed_and_the_fixed_one_stays_as_it_was(workspace, capsys):
    workspace()
    with_study()
    split.main()
    fixed = Path("data/split/assignment.csv").read_bytes()
    assert read_table("data/split/redrawn.csv", "redrawn").empty
    assert read_table("data/split/redrawn_leaks.csv", "redrawn_leaks").empty
    with_study(redraw=True)
    split.main()
    assert Path("data/split/assignment.csv").read_bytes() == fixed
    table = read_table("data/split/redrawn.csv", "redrawn")
    assert set(table["seed"]) == {0, 5}
    assert len(table) == 2 * 36
    table = table.merge(read_table("data/split/assignment.csv", "assignment"), on=IMAGE, suffixes=("", "_fixed"))
    for _, rows in table.groupby("seed"):
        for protocol in PROTOCOLS:
            for part in ("train", "validation", "test"):
                assert rows[rows[protocol] == part]["label"].value_counts().to_dict() == {"normal": 4, "pneumonia": 2}
            assert (rows[protocol] != rows[f"{protocol}_fixed"]).any()
    leaks = read_table("data/split/redrawn_leaks.csv", "redrawn_leaks")
    assert len(leaks) == 2 * 3 * 4 * 3  # seeds, protocols, kinds, pairs of parts
    assert (
        leaks.query("protocol == 'patient'")["groups"].sum() == 0 < leaks.query("protocol == 'paper'")["groups"].sum()
    )
    assert "a split of its own under each protocol for each of the seeds 0, 5" in capsys.readouterr().out
