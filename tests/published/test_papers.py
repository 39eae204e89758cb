from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.params import load
from cxrbench.evaluation.verdicts import KINDS
from cxrbench.published import papers as published

REPO = Path(__file__).resolve().parents[2]
PAPERS = published.load(REPO / "data/published")


def example(**changes):
    tree = yaml.safe_load((REPO / "data/published/covid-cnn.yaml").read_text(encoding="utf-8"))
    return {**tree, **changes}


def test_every_published_setting_is_a_setting_of_params_yaml():
    cells = {(run.study, run.label) for run in load(REPO / "params.yaml").planned_runs()}
    for name, paper in PAPERS.items():
        named = {setting for claim in paper.claims for setting in (*claim.settings, *claim.against)}
        named |= {setting for table in paper.tables if table.rows_of == "setting" for setting in table.rows}
        assert {(name, setting) for setting in named} <= cells


def test_all_five_papers_are_there_with_what_they_leave_open():
    assert set(PAPERS) == {"learning-rate", "loss-function", "batch-size", "covid-cnn", "view-network"}
    assert all(paper.unsaid for paper in PAPERS.values())
    assert {claim.kind for paper in PAPERS.values() for claim in paper.claims} <= set(KINDS)


def test_a_best_claim_agrees_with_the_papers_own_table():
    checked = 0
    for paper in PAPERS.values():
        for claim in paper.claims:
            sides = [paper.figure(claim.part, setting, claim.metric) for setting in (*claim.settings, *claim.against)]
            if claim.kind in ("best", "better") and None not in sides:
                low = claim.metric in ("loss", "mse", "epoch_seconds")
                assert sides[0] == (min if low else max)(sides), claim.id
                checked += 1
    assert checked == 8


def test_the_contradiction_in_the_f1_score_of_batch_size_16_is_there():
    precision, recall, f1 = (
        float(PAPERS["batch-size"].figure("test", "batch_size=16", metric)[0])
        for metric in ("precision", "recall", "f1")
    )
    assert 2 * precision * recall / (precision + recall) == pytest.approx(0.9837, abs=5e-5)
    assert f1 > 0.985


def test_a_printed_figure_becomes_a_share_without_rounding():
    paper = PAPERS["batch-size"]
    assert paper.figure("validation", "batch_size=32", "loss") == (Decimal("0.0268"), Decimal("0.0268"))
    assert paper.figure("validation", "batch_size=16", "epoch_seconds") == (Decimal("52"), Decimal("52"))
    assert paper.figure("test", "batch_size=16", "accuracy")[0].as_tuple().exponent == -4
    assert PAPERS["covid-cnn"].figure("test", "before", "accuracy") == (Decimal("0.60"), Decimal("0.70"))
    assert paper.figure("validation", "batch_size=16", "auc") is None


def test_a_citation_holds_what_the_text_gives_and_no_more():
    assert published.cite(PAPERS["loss-function"].citation).endswith(
        "2021, 25(8), 1046-1052. doi:10.6109/jkiice.2021.25.8.1046."
    )
    assert "None" not in "".join(published.cite(paper.citation) for paper in PAPERS.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clams": []}, "did you mean 'claims'"),
        ({"claims": [{**example()["claims"][0], "kind": "bets"}]}, "did you mean 'best'"),
        ({"claims": [{**example()["claims"][0], "against": []}]}, "need one setting and 'against'"),
        ({"claims": [{**example()["claims"][1], "value": 0.6}]}, "value is 0.6"),
        ({"claims": [example()["claims"][0]] * 2}, "an id stands twice"),
        ({"tables": [{**example()["tables"][0], "rows": {"after": {"accuracy": 0.88}}}]}, "in quotes"),
    ],
)
def test_a_wrong_entry_is_an_error_that_names_it(changes, message):
    with pytest.raises(CxrbenchError, match=message):
        published.parse(example(**changes))


def test_two_papers_of_one_study_are_an_error_that_names_the_file(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(example()), encoding="utf-8")
    with pytest.raises(CxrbenchError, match=r"b\.yaml: study 'covid-cnn' already has a paper"):
        published.load(tmp_path)
