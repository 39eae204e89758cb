"""Two experiments side by side: by the report's statistics, and only where both judged the same images."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cxrbench import cli
from cxrbench.base.tables import read_table, write_table
from cxrbench.config.params import load
from cxrbench.evaluation.comparisons import Contrast, Rules
from cxrbench.evaluation.comparisons import compare as by_the_report
from cxrbench.published import papers
from cxrbench.reporting.context import context_of, rules_of
from cxrbench.reporting.pack import write_pack
from cxrbench.reporting.report import verdicts_on
from cxrbench.reporting.result_sets import read
from cxrbench.reporting.results import read_results
from cxrbench.reporting.tables import difference

pytestmark = pytest.mark.slow

PAPERS = Path(__file__).resolve().parents[2] / "data" / "published"
STUDY = "learning-rate"


@pytest.fixture(scope="module")
def packed(evaluated_workspace, tmp_path_factory):
    """The result set of the workspace, without its report."""
    folder = tmp_path_factory.mktemp("packed") / "set"
    params, text = load(evaluated_workspace / "params.yaml"), (evaluated_workspace / "params.yaml").read_text()
    results, rules = read_results(evaluated_workspace / "data"), rules_of(params.report)
    write_pack(folder, results, context_of(params), rules, text)
    return folder


@pytest.fixture
def other(evaluated_workspace, tmp_path):
    """A workspace with the same runs, to be changed."""
    return shutil.copytree(evaluated_workspace, tmp_path / "other")


def compare(a, b, *more):
    return cli.main(["compare", str(a), str(b), "--papers", str(PAPERS), *more])


def runs_of(folder, setting, study=STUDY):
    """The folders of the runs of one setting."""
    grid = read_table(folder / "data/train-grid/grid.csv", "grid")
    return [folder / "data/train-grid" / run for run in grid.loc[grid["setting"] == setting, "run"].unique()]


def change(run, how):
    """Puts ``how`` of a run's scores in their place."""
    write_table(run / "scores.csv", how(read_table(run / "scores.csv", "scores")), "scores")


def rows_of(said, *cells):
    """The lines of a table that begin with these cells."""
    return [line for line in said.splitlines() if line.split()[: len(cells)] == list(cells)]


def test_a_set_against_itself_and_its_workspace_shows_no_difference(packed, evaluated_workspace, tmp_path, capsys):
    copy = shutil.copytree(packed, tmp_path / "copy")
    for other in (copy, evaluated_workspace):
        assert compare(packed, other) == 0
        said = capsys.readouterr().out
        assert "params.yaml is the same in both." in said
        assert "Both ran the same settings." in said
        assert "claims is the same in both." in said
        rows = rows_of(said, STUDY)
        assert len(rows) == 4 * 2
        assert all(row.endswith("the same scores") and "+0.00" in row for row in rows)
        assert not any(f"B is {word}" in row for row in said.splitlines() for word in ("better", "worse"))


def test_runs_of_other_seeds_of_the_same_skill_are_not_called_better_or_worse(other, packed, capsys):
    """The runs of batch size 8 in place of those of 16: another training, no other skill."""
    for mine, theirs in zip(runs_of(other, "batch_size=16"), runs_of(other, "batch_size=8")):
        shutil.copy(theirs / "scores.csv", mine / "scores.csv")
    assert compare(packed, other) == 0
    (accuracy, auc) = rows_of(capsys.readouterr().out, "batch-size", "batch_size=16")
    for row in (accuracy, auc):
        assert row.endswith(("undecided", "no difference of weight"))


def test_a_setting_that_is_really_worse_is_called_worse_and_the_other_way_round_better(other, packed, capsys):
    for run in runs_of(other, "lr=0.0001"):
        change(run, lambda scores: scores.assign(score=1 - scores["score"]))
    assert compare(packed, other) == 0
    rows = rows_of(capsys.readouterr().out, STUDY, "lr=0.0001")
    assert len(rows) == 2
    assert all(row.endswith("B is worse") and "−" in row for row in rows)
    assert compare(other, packed) == 0
    said = capsys.readouterr().out
    rows = rows_of(said, STUDY, "lr=0.0001")
    assert len(rows) == 2
    assert all(row.endswith("B is better") for row in rows)
    assert all(row.endswith("the same scores") for row in rows_of(said, STUDY, "lr=0.01"))


def test_the_difference_and_its_interval_are_those_of_the_statistics_of_the_report(other, packed, capsys):
    for run in runs_of(other, "lr=0.0001"):
        change(run, lambda scores: scores.assign(score=scores["score"].round(1)))
    assert compare(packed, other) == 0
    a, b = (read(str(folder)).runs[STUDY]["lr=0.0001"] for folder in (packed, other))
    rules = Rules(0.95, 0.01, 2000, 0)
    contrasts = [Contrast(metric, "test", "B", "A", (-0.01, 0.01)) for metric in ("accuracy", "auc")]
    rows = rows_of(capsys.readouterr().out, STUDY, "lr=0.0001")
    for row, found in zip(rows, by_the_report({"A": a, "B": b}, contrasts, rules), strict=True):
        value, interval = difference(found)
        assert value in row
        assert interval in row


def test_one_seed_alone_gets_no_answer_and_the_reason(other, packed, capsys):
    path = other / "data/train-grid/grid.csv"
    grid = read_table(path, "grid")
    write_table(path, grid[(grid["setting"] != "lr=0.0001") | (grid["seed"] == 0)], "grid")
    assert compare(packed, other) == 0
    rows = rows_of(capsys.readouterr().out, STUDY, "lr=0.0001", "3,", "1")
    assert len(rows) == 2
    for row in rows:
        assert "lr=0.0001 in B has 1 run, which shows no spread over seeds" in row
        assert row.endswith("no answer")


def test_a_study_whose_test_images_differ_is_not_compared_and_the_others_are(other, packed, capsys):
    for run in runs_of(other, "before") + runs_of(other, "after"):
        change(run, lambda scores: scores.drop(scores.index[scores["part"] == "test"][:3]))
    assert compare(packed, other) == 0
    said = capsys.readouterr().out
    assert "covid-cnn is not compared: the two score different test images: 5, with their patient and class," in said
    assert "in both, 3 in A only and 0 in B only." in said
    assert rows_of(said, "covid-cnn", "before") == []
    assert rows_of(said, STUDY, "lr=0.01")


@pytest.mark.parametrize(("column", "value"), [("patient_id", "x"), ("target", 1)])
def test_an_image_of_another_patient_or_class_is_another_image(other, packed, capsys, column, value):
    def changed(scores):
        scores.loc[scores.index[scores["part"] == "test"][0], column] = value
        return scores

    # In all of the study: runs of one set that disagree on an image's class are refused.
    for run in runs_of(other, "before") + runs_of(other, "after"):
        change(run, changed)
    assert compare(packed, other) == 0
    said = capsys.readouterr().out
    assert "covid-cnn is not compared: the two score different test images: 7, " in said
    assert "in both, 1 in A only and 1 in B only." in said
    assert rows_of(said, "covid-cnn", "before") == []
    assert rows_of(said, STUDY, "lr=0.01")


def test_runs_that_were_trained_on_another_split_are_not_compared(other, evaluated_workspace, tmp_path, capsys):
    first = shutil.copytree(evaluated_workspace, tmp_path / "first")
    for folder, checksum in ((first, "aaaaaaaaaa"), (other, "bbbbbbbbbb")):
        for run in runs_of(folder, "lr=0.01"):
            record = json.loads((run / "run.json").read_text())
            (run / "run.json").write_text(json.dumps({**record, "data": {"sha256": checksum}}))
    assert compare(first, other) == 0
    said = capsys.readouterr().out
    assert "learning-rate (lr=0.01) is not compared: its 25 test images are the same in both, but the images of" in said
    assert "their checksums are aaaaaaaa in A and bbbbbbbb in B." in said
    assert rows_of(said, STUDY, "lr=0.01") == []


def test_a_study_without_test_images_is_not_compared(packed, capsys):
    assert compare(packed, packed) == 0
    assert "view-network is not compared: its runs in A and B have no test images." in capsys.readouterr().out


def test_parameters_claims_and_settings_that_differ_are_listed(other, packed, tmp_path, capsys):
    tree = yaml.safe_load((other / "params.yaml").read_text())
    tree["lr"], tree["report"]["margin"] = 0.01, 0.5
    del tree["cohorts"]["covid"]["view"]
    (other / "params.yaml").write_text(yaml.safe_dump(tree))
    path = other / "data/train-grid/grid.csv"
    grid = read_table(path, "grid")
    write_table(path, grid[grid["setting"] != "batch_size=4"], "grid")
    assert compare(packed, other, "--to", str(tmp_path / "out" / "compared.md")) == 0
    said = capsys.readouterr().out
    assert [row.split() for row in rows_of(said, "lr")] == [["lr", "0.001", "0.01"]]
    assert [row.split() for row in rows_of(said, "report.margin")] == [["report.margin", "0.01", "0.5"]]
    assert [row.split() for row in rows_of(said, "cohorts.covid.view")] == [["cohorts.covid.view", '"frontal"', "–"]]
    assert [row.split() for row in rows_of(said, "batch-size", "A", "batch_size=4")] == [
        ["batch-size", "A", "batch_size=4"]
    ]
    own, changed = (verdicts(folder) for folder in (packed, other))
    differ = {claim: (own[claim], changed[claim]) for claim in own if own[claim] != changed[claim]}
    assert differ
    assert f"{len(differ)} of {len(own)} claims have another verdict" in said
    for (study, statement), (word_a, word_b) in differ.items():
        (row,) = [row for row in said.splitlines() if row.startswith(study) and statement in row]
        assert row.split(statement)[1].split("  ")[-1].strip() == word_b
        assert f"  {word_a} " in row
    text = (tmp_path / "out" / "compared.md").read_text()
    assert "| report.margin | 0.01 | 0.5 |" in text
    assert all(f"| {statement} | {a} | {b} |" in text for (_, statement), (a, b) in differ.items())


def verdicts(folder):
    one = read(str(folder))
    found = verdicts_on(one.settings, papers.load(PAPERS), one.runs, one.rules)
    return {(verdict.claim.study, verdict.claim.statement): verdict.verdict for verdict in found}


def test_a_mistake_is_one_sentence(packed, other, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    damaged = shutil.copytree(packed, tmp_path / "damaged")
    (damaged / "records.json").write_text("{}")
    path = other / "data/train-grid/grid.csv"
    grid = read_table(path, "grid")
    write_table(path, grid.assign(setting=grid["setting"] + "!"), "grid")
    for a, told in (
        ("empty", "error: empty is no result set: it holds neither pack.json"),
        ("file", "error: file is a file; name a folder"),
        ("damaged", f"error: {Path('damaged') / 'records.json'} is missing or was changed"),
        ("nowhere", "error: nowhere is no folder, and git and DVC know no commit, branch, tag or experiment of that"),
        (other, "have no setting in common, so nothing can be compared"),
    ):
        assert compare(a, packed) == 1
        said = capsys.readouterr()
        assert said.err.startswith("error: ")
        assert told in said.err
        assert said.err.count("\n") == 1
        assert said.out == ""
    assert compare(packed, packed, "--to", str(tmp_path / "empty")) == 1
    assert "choose another --to" in capsys.readouterr().err


@pytest.fixture(scope="module")
def versioned(evaluated_workspace, tmp_path_factory):
    """The workspace under git and DVC: one commit, and the experiment 'brave-lion' whose lr=0.0001 is worse."""
    folder = shutil.copytree(evaluated_workspace, tmp_path_factory.mktemp("versioned") / "workspace")

    def run(*command):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)

    (folder / "dvc.yaml").write_text("stages: {train-grid: {cmd: 'true', outs: [data/train-grid]}}\n")
    run("git", "init", "-q")
    run("git", "config", "user.name", "a")
    run("git", "config", "user.email", "a@b")
    dvc = (sys.executable, "-m", "dvc")
    run(*dvc, "init", "-q")
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (folder / ".gitignore").write_text("/data/train-grid\n")
    run(*dvc, "commit", "-q", "-f")
    run("git", "add", ".")
    run("git", "commit", "-qm", "first")
    for one in runs_of(folder, "lr=0.0001"):
        (one / "scores.csv").chmod(0o644)
        change(one, lambda scores: scores.assign(score=1 - scores["score"]))
    run(*dvc, "commit", "-q", "-f")
    run(*dvc, "exp", "save", "-q", "-n", "brave-lion")
    shutil.rmtree(folder / "data/train-grid")
    run("git", "checkout", "-q", ".")
    return folder


@pytest.mark.slow
def test_a_commit_and_an_experiment_are_read_out_of_the_cache_and_the_workspace_stays(
    versioned, packed, monkeypatch, capsys
):
    monkeypatch.chdir(versioned)
    before = sorted(versioned.glob("*"))
    assert compare(packed, "HEAD") == 0
    said = capsys.readouterr().out
    assert all(row.endswith("the same scores") for row in rows_of(said, STUDY))
    assert compare("HEAD", "brave-lion") == 0
    rows = rows_of(capsys.readouterr().out, STUDY, "lr=0.0001")
    assert len(rows) == 2
    assert all(row.endswith("B is worse") for row in rows)
    assert sorted(versioned.glob("*")) == before
    assert not (versioned / "data/train-grid").exists()


@pytest.mark.slow
def test_an_unknown_name_and_outputs_that_the_cache_lacks_are_one_sentence(versioned, tmp_path, monkeypatch, capsys):
    subprocess.run(["git", "clone", "-q", versioned, tmp_path / "clone"], check=True, timeout=60)
    monkeypatch.chdir(tmp_path / "clone")
    for name, told in (
        ("shy-cat", "shy-cat is no folder, and git and DVC know no commit"),
        ("HEAD", "HEAD: neither git nor DVC's cache holds its data/train-grid"),
    ):
        assert compare(name, "HEAD") == 1
        said = capsys.readouterr()
        assert told in said.err
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        assert said.out == ""
