"""A model card: the report's figures in the Hub's form, nothing of a patient, and no figure that is not known."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from cxrbench import cli
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import empty
from cxrbench.config import params as parameters
from cxrbench.evaluation.study_settings import StudySetting, run_of, splits_of
from cxrbench.evaluation.summaries import summarise
from cxrbench.published import papers
from cxrbench.reporting import exports
from cxrbench.reporting.card import card, write_cards
from cxrbench.reporting.context import context_of, rules_of
from cxrbench.reporting.results import read_results

GOLDEN = Path(__file__).parent / "golden" / "card.md"
STUDY = "batch-size"


@pytest.fixture(scope="module")
def known(evaluated_workspace):
    """All that a card is made from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(evaluated_workspace)
        params = parameters.load()
        read = read_results(Path("data")), papers.load("data/published"), context_of(params), rules_of(params.report)
    return [*read[:3], dataclasses.replace(read[3], resamples=200)]


def made(known, study=STUDY, alias="best-mean", context=None, **other):
    results, papers_known, own, rules = known
    return card(study, alias, dataclasses.replace(results, **other), papers_known, context or own, rules)


def words(text):
    return set(re.findall(r"[^\s|,;=]+", text))


def test_the_card_is_the_golden_file(known):
    """After a wanted change: write what the assertion shows into the file."""
    assert made(known) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("alias", ["best-mean", "best"])
def test_the_hubs_own_library_reads_it_and_its_results(known, alias):
    read = ModelCard(made(known, alias=alias))
    assert read.data["library_name"] == "keras"
    assert "not-a-medical-device" in read.data["tags"]
    assert {one.dataset_split for one in read.data.eval_results} == {"validation", "test"}
    assert {one.metric_type for one in read.data.eval_results} == set(read.data["metrics"])
    assert ModelCard(str(read)).data.to_dict() == read.data.to_dict()


def test_figures_over_seeds_are_those_of_the_report(known):
    results = known[0]
    were_run = run_of(results.settings[STUDY])
    summary = summarise(results.metrics, STUDY, list(were_run), results.seeds, splits_of(were_run))
    table = exports.means({STUDY: summary})
    text = made(known)
    (label,) = re.findall(rf"# cxrbench-{STUDY}: (.*)", text)
    for part in ("validation", "test"):
        section = re.split(r"### (?:Validation|Test), ", text)[1 if part == "validation" else 2]
        row = table[(table["setting"] == label) & (table["part"] == part) & (table["metric"] == "accuracy")].iloc[0]
        assert f"{100 * row['mean']:.2f} ± {100 * row['sd']:.2f} | {row['n']} |" in section


def test_the_best_run_has_its_own_figures_beside_those_of_all_seeds(known):
    results, text = known[0], made(known, alias="best")
    run = ModelCard(text).data["cxrbench"]["fingerprint"]
    rows = results.metrics[(results.metrics["run"] == run) & (results.metrics["study"] == STUDY)].set_index("part")
    values = {one.dataset_split: one.metric_value for one in ModelCard(text).data.eval_results
              if one.metric_type == "accuracy"}  # fmt: skip
    assert values == {part: pytest.approx(rows.loc[part, "accuracy"], abs=1e-4) for part in ("validation", "test")}
    assert "is its best run on validation" in text


def test_a_card_holds_no_key_no_path_and_no_picture_of_a_cohort_even_a_restricted_one(known):
    context = dataclasses.replace(known[2], restricted=("pneumonia",), sources={"pneumonia": "mimic"})
    results = known[0]
    leaks = results.leaks.assign(examples="planted-key-1 planted-key-2")
    text = made(known, context=context, leaks=leaks)
    assert "It learnt from a restricted cohort" in text
    assert ModelCard(text).data["cxrbench"]["restricted"] is True
    keys = set(results.assignment["image_id"]) | set(results.assignment["path"]) | set(results.assignment["patient_id"])
    keys |= {key for examples in leaks["examples"] for key in examples.split()}
    assert len(keys) > 100
    assert words(text) & keys == set()
    assert "![" not in text
    assert "<img" not in text
    assert "base64" not in text
    assert re.findall(r"(?<![\w*.`'])/(?:home|work|tmp|data|root|Users)\b\S*", text) == []


def test_of_a_file_of_weights_the_name_alone_is_told(known):
    results = known[0]
    (label, one), *_ = results.settings[STUDY].items()
    changed = StudySetting({**one.setting, "weights": "/home/me/secret/mine.weights.h5"})
    settings = {STUDY: {f"weights=/home/me/secret/mine.weights.h5,{label}": changed}}
    metrics = results.metrics[(results.metrics["study"] == STUDY) & (results.metrics["setting"] == label)]
    text = made(known, settings=settings, metrics=metrics.assign(setting=next(iter(settings[STUDY]))))
    assert "mine.weights.h5" in text
    assert "secret" not in text


def test_what_is_not_known_says_so_and_is_not_made_up(known):
    nothing = {name: empty(name) for name in ("leaks", "shortcuts", "duplicates")}
    results = known[0]
    studies = {name: settings for name, settings in results.settings.items() if name == STUDY}
    text = made(known, **nothing, settings=studies, origins=(), checks={})
    for sentence in (
        "Leaks between parts or labels of this cohort: not known.",
        "What a file's size, area or brightness alone would score: not known.",
        "What a network reaches on these images without the lungs: not known; no such run was asked for.",
        "| Parameters | not known + not known + not known |",
        "| not known | – | 3 runs |",
        "### Checks\n\nNot known.",
    ):
        assert sentence in text
    assert "None were found" not in text
    assert "nan" not in words(text)


def test_the_view_networks_card_says_that_nothing_was_tested(known):
    text = made(known, study="view-network")
    images = known[0].assignment
    tested = ((images["cohort"] == "views") & (images["paper"] == "test")).any()
    assert ("its images have no test part" in text) == (not tested)


def test_every_study_with_a_winner_has_a_card_for_each_alias(known, tmp_path):
    results, papers_known, context, rules = known
    few = {name: results.settings[name] for name in (STUDY, "loss-function")}
    diverged = results.metrics["study"] == "loss-function"
    metrics = results.metrics.assign(accuracy=results.metrics["accuracy"].mask(diverged))
    changed = dataclasses.replace(results, settings=few, metrics=metrics)
    written = write_cards(tmp_path, changed, papers_known, context, rules)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [f"{STUDY}/best-mean.md", f"{STUDY}/best.md"]
    with pytest.raises(CxrbenchError, match="study loss-function has no winner"):
        made(known, study="loss-function", metrics=metrics)


def test_a_mean_of_networks_that_no_image_can_test_has_no_card(known):
    results = known[0]
    redrawn = {label: StudySetting({**one.setting, "redraw": True}) for label, one in results.settings[STUDY].items()}
    with pytest.raises(CxrbenchError, match="name --alias best"):
        made(known, settings={STUDY: redrawn})
    assert "each seed has a split of its own" in made(known, alias="best", settings={STUDY: redrawn})


def test_the_command_prints_it_or_writes_it(evaluated_workspace, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(shutil.copytree(evaluated_workspace, tmp_path / "workspace"))
    assert cli.main(["card", STUDY]) == 0
    printed = capsys.readouterr().out
    assert cli.main(["card", STUDY, "--to", "cards/a.md"]) == 0
    assert Path("cards/a.md").read_text(encoding="utf-8") == printed
    assert printed.startswith("---\nlanguage: en\n")
    assert cli.main(["card", "none"]) == 1
    assert "there is no study 'none'" in capsys.readouterr().err
