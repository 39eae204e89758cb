"""Of each study the winner's best network is asked; of a restricted cohort nothing is computed, opened or written."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrbench.attention import gradcam, studies
from cxrbench.base.files import sha256_of
from cxrbench.base.tables import TABLES, read_table
from cxrbench.config.setting import Setting
from cxrbench.evaluation.runs import metric_table
from cxrbench.evaluation.study_settings import StudySetting

N = 120  # images of a cohort
SIZE_PX = 32


@dataclasses.dataclass
class World:
    """Two studies of cohort 'chest', one of 'held' and one of 'views', each run with the seeds 0 and 1."""

    folder: object
    settings: dict
    runs: dict
    metrics: pd.DataFrame
    assignment: pd.DataFrame

    def network(self, run):
        return self.folder / "runs" / run / "model.keras"

    def write(self, restricted=("held",), out="out"):
        where = (self.settings, self.metrics, self.runs, self.assignment, restricted, self.network)
        studies.write_attention(self.folder / out, *where)
        return read_table(self.folder / out / "attention.csv", "attention")

    def pictures(self, out="out"):
        return {path.relative_to(self.folder / out).as_posix(): path for path in (self.folder / out).rglob("*.jpg")}


@pytest.fixture
def world(tmp_path):
    rng = np.random.default_rng(0)
    assignment = pd.concat([cohort(tmp_path, name, rng) for name in ("chest", "held", "views")], ignore_index=True)
    settings, runs, grid = {}, {}, []
    for study, name, skills in (("rate", "chest", (1, 2)), ("batch", "chest", (3, 1)), ("held-study", "held", (1, 2)),
                                ("view-network", "views", (2, 1))):  # fmt: skip
        settings[study] = {}
        for label, skill in zip(("first", "second"), skills):
            setting = Setting(cohort=name, model="quick_cnn", image_size=SIZE_PX).model_dump()
            settings[study][label] = StudySetting(setting)
            for seed in (0, 1):
                run = f"{study}-{label}-{seed}"
                grid.append((study, label, seed, run))
                record = {"run": run, "setting": setting, "seed": seed, "status": "ok"}
                runs[run] = (record | {"first_epoch_seconds": 1.0, "epoch_seconds": 1.0},
                             scores(assignment, name, skill, rng))  # fmt: skip
                (tmp_path / "runs" / run).mkdir(parents=True)
                (tmp_path / "runs" / run / "model.keras").write_text("a network")
    metrics = metric_table(pd.DataFrame(grid, columns=["study", "setting", "seed", "run"]), runs)
    return World(tmp_path, settings, runs, metrics, assignment)


def cohort(folder, name, rng):
    rows = []
    for number in range(N):
        path = folder / name / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 50), dtype="uint8")).save(path)
        part = ("train", "validation", "test")[number % 3]
        rows.append((name, name, str(number), str(path), sha256_of(path), f"p{number}", "", number % 2, *[part] * 3))
    return pd.DataFrame(rows, columns=list(TABLES["assignment"]))


def scores(assignment, name, skill, rng):
    seen = assignment[(assignment["cohort"] == name) & (assignment["paper"] != "train")]
    score = 1 / (1 + np.exp(-rng.normal((2 * seen["target"] - 1) * skill, 1.5)))
    return seen.assign(part=seen["paper"], score=score)[list(TABLES["scores"])]


@pytest.fixture
def asked(monkeypatch):
    """The questions; each is answered with an attention of 4 x 4 cells in the upper left corner, a constant network's
    with none."""
    found = []

    def answers(questions):
        found.extend(questions)
        cells = np.zeros((4, 4), "float32")
        cells[0, 0] = 1
        return [np.stack([cells * (number % 2) for number, _ in enumerate(one.images)]) for one in questions]

    monkeypatch.setattr(gradcam, "answers", answers)
    return found


def test_of_each_study_the_best_run_of_the_winner_is_asked_about_the_images_of_its_sample(world, asked):
    table = world.write()
    assert set(table["study"]) == {"rate", "batch"}
    assert set(zip(table["study"], table["setting"])) == {("rate", "second"), ("batch", "first")}
    seeds = (
        world.metrics[world.metrics["part"] == "validation"]
        .set_index(["study", "setting", "seed"])["accuracy"]
        .sort_index()
    )
    for study, setting, seed in {*zip(table["study"], table["setting"], table["seed"])}:
        assert seeds[study, setting, seed] == seeds[study, setting].max()
    assert len(table) == sum(len(one.images) for one in asked)
    assert {one.images.shape[1:] for one in asked} == {(SIZE_PX, SIZE_PX, 1)}
    assert set(table["part"]) == {"test"}
    assert set(table["cells"]) == {"4 x 4"}
    assert table["inside"].isna().sum() == pytest.approx(len(table) / 2, abs=1)
    assert (table["inside"].dropna() < table["area"].iloc[0]).all()


def test_a_run_that_two_studies_share_is_asked_once_and_stands_in_both(world, asked):
    shared = world.metrics[world.metrics["study"] == "rate"].assign(study="again")
    world.metrics = pd.concat([world.metrics, shared], ignore_index=True)
    world.settings["again"] = world.settings["rate"]
    table = world.write()
    assert len(asked) == 2
    rate, again = (table[table["study"] == name].reset_index(drop=True) for name in ("rate", "again"))
    assert rate.drop(columns=["study", "picture"]).equals(again.drop(columns=["study", "picture"]))


def test_two_pictures_of_each_group_are_of_the_cohorts_best_study_and_the_table_names_them(world, asked):
    table = world.write()
    named = table[table["picture"] != ""]
    assert set(named["study"]) == {"batch"}
    assert set(named["picture"]) == set(world.pictures())
    assert set(named["group"].value_counts()) <= {1, 2}
    assert all(name.startswith("attention/batch-") for name in named["picture"])


def test_the_same_runs_give_the_same_bytes(world, asked):
    world.write()
    before = {name: path.read_bytes() for name, path in world.pictures().items()}
    text = (world.folder / "out/attention.csv").read_bytes()
    world.write()
    assert {name: path.read_bytes() for name, path in world.pictures().items()} == before
    assert (world.folder / "out/attention.csv").read_bytes() == text


@pytest.mark.parametrize("named_by", ["cohort", "source"])
def test_of_a_restricted_cohort_nothing_is_computed_opened_or_written(world, asked, capsys, monkeypatch, named_by):
    world.write(restricted=())
    if named_by == "source":  # a cohort that draws on a restricted one
        for run in [run for run in world.runs if not run.startswith("held")]:
            record, table = world.runs[run]
            world.runs[run] = (record, table.assign(source=np.where(table.index % 2, "held", table["source"])))
    asked.clear()
    monkeypatch.setattr(studies, "load_square", None)
    table = world.write(restricted=("held", "chest") if named_by == "cohort" else ("held",))
    assert (len(table), asked, world.pictures()) == (0, [], {})
    assert "no Grad-CAM of rate, batch, held-study" in capsys.readouterr().out


def test_what_is_not_kept_changed_or_lateral_is_named_and_costs_no_other_study(world, asked, capsys):
    for run in world.runs:
        if run.startswith("rate"):
            world.network(run).unlink()
    next(iter((world.folder / "held").glob("5.png"))).write_bytes(b"another image")
    table = world.write(restricted=())
    assert set(table["study"]) == {"batch"}
    said = capsys.readouterr().out
    assert "no Grad-CAM of rate: the run store doesn't hold their networks" in said
    assert "no Grad-CAM of view-network: their images are not all frontal" in said
    assert re.search("no Grad-CAM of held-study: .*has changed since the manifest was made", said)


def test_no_image_is_opened_where_no_network_is_kept(world, asked, monkeypatch):
    monkeypatch.setattr(studies, "load_square", None)
    for run in world.runs:
        world.network(run).unlink()
    assert world.write().empty
    assert asked == []


def test_a_blacked_out_part_is_black_for_the_network_and_in_the_picture(world, asked):
    for record, _ in world.runs.values():
        record["setting"]["hide"] = "lungs"
    world.write()
    assert all((one.images[:, 5:25, 4:28] == 0).all() and one.images.any() for one in asked)
    shown = np.asarray(Image.open(next(iter(world.pictures().values()))).convert("L"))
    assert shown[80:130, 20:140].max() < 130


@pytest.mark.slow
def test_stored_networks_give_the_same_table_and_pictures_each_time_and_damaged_ones_none(world, capsys):
    import keras

    from cxrbench.training import models

    keras.utils.set_random_seed(1)
    network = models.on_grey(models.build("quick_cnn", SIZE_PX, 1, "sigmoid", None, None))
    for run in world.runs:
        if run.startswith("batch"):
            network.save(world.network(run))
    first = world.write()
    pictures = {name: path.read_bytes() for name, path in world.pictures().items()}
    assert set(first["study"]) == {"batch"}
    assert "no Grad-CAM of rate: the stored network can't be used (" in capsys.readouterr().out
    assert first["inside"].between(0, 1).any()
    assert first.equals(world.write(out="again"))
    assert {name: path.read_bytes() for name, path in world.pictures("again").items()} == pictures
