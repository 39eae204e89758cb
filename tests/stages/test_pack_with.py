"""Seeds that were trained before are added to those of a workspace, if it would train the very same runs."""

import dataclasses
import functools
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench import cli
from cxrbench.base.assignment import read_assignment
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.origins import Origin
from cxrbench.base.tables import TABLES, read_table, write_table
from cxrbench.config import params as parameters
from cxrbench.evaluation.study_settings import read_settings, write_settings
from cxrbench.reporting import joined
from cxrbench.reporting.pack import read_pack
from cxrbench.runs.outputs import grid_table
from cxrbench.stages import evaluate
from cxrbench.training import backend
from tests.stages.conftest import files_of

pytestmark = pytest.mark.slow

TRAINED = Path("data/train-grid")
UNTRAINABLE = "view-network"  # the simulated images of this study have no test part


@pytest.fixture(scope="module")
def trained(workspace_up_to, tmp_path_factory):
    """A workspace of three seeds whose simulated runs have the names that real ones would have."""
    folder = workspace_up_to("train-grid", tmp_path_factory.mktemp("trained"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tree = yaml.safe_load(Path("params.yaml").read_text())
        del tree["studies"][UNTRAINABLE]
        Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
        settings = read_settings(TRAINED / "settings.json")
        del settings[UNTRAINABLE]
        write_settings(TRAINED / "settings.json", settings)
        params = parameters.load()
        backend.choose(params.backend)
        simulated = read_table(TRAINED / "grid.csv", "grid")
        simulated = simulated[simulated["study"] != UNTRAINABLE]
        grid = grid_table(params.planned_runs(), read_assignment())
        for before, run in zip(simulated["run"], grid["run"]):
            if not (TRAINED / run).exists():
                shutil.copytree(TRAINED / before, TRAINED / run)
                record = json.loads((TRAINED / run / "run.json").read_text())
                (TRAINED / run / "run.json").write_text(json.dumps({**record, "run": run}))
        for before in {path.parent.name for path in TRAINED.glob("*/run.json")} - set(grid["run"]):
            shutil.rmtree(TRAINED / before)
        write_table(TRAINED / "grid.csv", grid, "grid")
    return folder


@pytest.fixture(scope="module")
def workspace_of(trained, tmp_path_factory):
    """Seeds -> a workspace that trained these alone, for tests that only read it."""

    @functools.cache
    def workspace(*seeds):
        folder = shutil.copytree(trained, tmp_path_factory.mktemp("seeds") / "workspace")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            tree = yaml.safe_load(Path("params.yaml").read_text())
            Path("params.yaml").write_text(yaml.safe_dump({**tree, "seeds": [*seeds]}, sort_keys=False))
            grid = read_table(TRAINED / "grid.csv", "grid")
            write_table(TRAINED / "grid.csv", grid[grid["seed"].isin(seeds)], "grid")
            evaluate.main()
        return folder

    return workspace


@pytest.fixture(scope="module")
def packed(workspace_of, tmp_path_factory):
    """Seeds -> the result set of a workspace that trained these."""

    @functools.cache
    def pack(*seeds):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(workspace_of(*seeds))
            folder = tmp_path_factory.mktemp("packed") / "set"
            assert cli.main(["pack", str(folder)]) == 0
        return folder

    return pack


@pytest.fixture(scope="module")
def two_seeds(packed):
    """A result set of seeds 0 and 2."""
    return packed(0, 2)


@pytest.mark.parametrize("here", [(1,), (1, 2)])
def test_seeds_of_two_sets_are_what_one_experiment_of_all_of_them_is(
    workspace_of, packed, two_seeds, tmp_path, monkeypatch, here
):
    monkeypatch.chdir(workspace_of(*here))
    assert cli.main(["pack", str(tmp_path / "joined"), "--with", str(two_seeds)]) == 0
    assert files_of(tmp_path / "joined") == files_of(packed(0, 1, 2))


def of_seed_1(other):
    """Results of the same studies with no run of the seeds of ``other``."""
    return dataclasses.replace(other, grid=other.grid.assign(seed=1), runs={})


def test_a_set_of_other_code_is_refused_with_both_names_of_a_run_and_the_commits(two_seeds):
    other, _, _ = read_pack(two_seeds)
    other = dataclasses.replace(other, origins=[Origin([], "1" * 40), Origin([], "2" * 40)])
    first = other.grid.iloc[0]
    grid = other.grid.replace({"run": {first["run"]: "f" * 16}})
    with pytest.raises(CxrbenchError) as told:
        joined.joined(of_seed_1(other), other, "results/two", grid)
    assert str(told.value) == (
        f"results/two can't be added: its run of study {first['study']}, {first['setting']}, seed {first['seed']} is"
        f" {first['run']}, and this workspace would train {'f' * 16}, so code, versions, settings or images differ;"
        f" train here with the code of {'1' * 10} or {'2' * 10}"
    )


def test_each_run_has_one_origin_also_where_both_hold_it_and_others_are_not_told_of(two_seeds):
    other, _, _ = read_pack(two_seeds)
    shared, own = other.grid["run"].iloc[0], list(other.runs)[-1]
    here = dataclasses.replace(other, origins=[Origin([shared], "1" * 40)], runs={shared: other.runs[shared]})
    there = dataclasses.replace(other, origins=[Origin([shared, own], "2" * 40), Origin(["f" * 16], "3" * 40)])
    found = joined.joined(here, there, "results/two", other.grid).origins
    assert found == [Origin([own], "2" * 40), Origin([shared], "1" * 40)]


def test_a_workspace_that_would_train_other_runs_by_now_is_one_sentence_and_nothing_is_written(
    workspace_of, two_seeds, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(shutil.copytree(workspace_of(1), tmp_path / "workspace"))
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("epochs: 6\n", "epochs: 7\n"))
    assert cli.main(["pack", "joined", "--with", str(two_seeds)]) == 1
    assert "params.yaml or the code changed since this workspace trained study learning-rate, lr=0.1, seed 1" in (
        capsys.readouterr().err
    )
    assert not list(Path.cwd().glob("joined*"))


def test_a_set_without_a_setting_of_this_workspace_is_one_sentence(two_seeds):
    other, _, _ = read_pack(two_seeds)
    more = other.grid.iloc[[0]].assign(setting="lr=0.5", run="f" * 16)
    with pytest.raises(CxrbenchError, match=f"holds no run of study {more['study'].iloc[0]}, lr=0.5, seed 0"):
        joined.joined(of_seed_1(other), other, "results/two", pd.concat([other.grid, more]))


def test_attention_stays_where_it_is_of_the_best_network_of_all_seeds_in_whichever_study(two_seeds, capsys):
    results, _, _ = read_pack(two_seeds)
    shared, other = (
        joined.choose(study, results.settings, results.metrics) for study in ("learning-rate", "covid-cnn")
    )
    best, worse = shared.runs[shared.best], next(run for seed, run in other.runs.items() if seed != other.best)
    looked_at = [("learning-rate", best), ("learning-rate", best), ("black-lungs", "f" * 16), ("covid-cnn", worse)]
    row = dict.fromkeys(TABLES["attention"], "a") | {"seed": 7}
    rows = [row | {"study": study, "run": run, "image_id": image} for study, run in looked_at for image in ("x", "y")]
    kept = joined._of_the_best(pd.DataFrame(rows), results, results.metrics)
    assert kept[["study", "setting", "seed", "run", "image_id"]].values.tolist() == [
        [study, label, shared.best, best, image]
        for study, label in (("learning-rate", "lr=0.001"), ("black-lungs", "hide=nothing"))
        for image in ("x", "y")
    ]
    assert "no Grad-CAM of covid-cnn" in capsys.readouterr().out
