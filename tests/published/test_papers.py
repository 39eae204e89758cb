import itertools
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cxrbench.base.errors import CxrbenchError
from cxrbench.config import params
from cxrbench.evaluation.verdicts import KINDS
from cxrbench.published import papers as published

REPO = Path(__file__).resolve().parents[2]
PAPERS = published.load(REPO / "data/published")


def example(**changes):
    tree = yaml.safe_load((REPO / "data/published/covid-cnn.yaml").read_text(encoding="utf-8"))
    return {**tree, **changes}


def planned(grid):
    """Study and label of every setting of a file of conf/grid/."""
    with initialize_config_dir(str(REPO / "conf"), version_base=None):
        tree = OmegaConf.to_container(compose("config", overrides=[f"grid={grid}"]), resolve=True)
    return {(run.study, run.label) for run in params.parse(tree).planned_runs()}


@pytest.mark.parametrize("grid", sorted({paper.grid for paper in PAPERS.values()}))
def test_every_published_setting_is_a_setting_of_the_grid_that_its_paper_names(grid):
    cells = planned(grid)
    for name, paper in PAPERS.items():
        named = {setting for claim in paper.claims for setting in (*claim.settings, *claim.against)}
        named |= {row for table in paper.tables if table.rows_of == "setting" for row in table.rows}
        if paper.grid == grid:
            assert name in {study for study, _ in cells}
            assert {(name, setting) for setting in named} <= cells


def test_the_base_grid_is_that_of_params_yaml_and_holds_five_papers():
    cells = {(run.study, run.label) for run in params.load(REPO / "params.yaml").planned_runs()}
    assert planned(published.BASE_GRID) == cells
    five = {"learning-rate", "loss-function", "batch-size", "covid-cnn", "view-network"}
    assert {name for name, paper in PAPERS.items() if paper.grid == published.BASE_GRID} == five


def test_a_report_speaks_of_the_papers_asked_for_and_of_all_base_papers_where_one_of_them_is():
    base = {name for name, paper in PAPERS.items() if paper.grid == published.BASE_GRID}
    later = set(PAPERS) - base
    assert later
    assert published.asked(PAPERS, ["of-our-own"]) == {}
    for name in base:
        assert set(published.asked(PAPERS, [name, "of-our-own"])) == base
    for name in later:
        assert set(published.asked(PAPERS, [name, "of-our-own"])) == {name}
        assert set(published.asked(PAPERS, [name, *base])) == {*base, name}


def test_every_paper_says_what_it_leaves_open():
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
        ({"facts": [{"what": "Images", "printed": 345, "source": "2.1"}]}, "write figures in quotes"),
        ({"facts": [{"what": "Images", "printed": "345"}]}, r"facts\.0: .*source"),
        ({"untestable": [{"said": "It is good."}]}, r"untestable\.0: .*why"),
        ({"tables": [{**example()["tables"][0], "images": {"all": 1, "runs": 1}}]}, "images.all is 1; .* from 2"),
        ({"tables": [{**example()["tables"][0], "images": 86}]}, "images is 86"),
        ({"tables": [{**example()["tables"][0], "images": {"all": 9, "positive": 4, "runs": 1}}]}, "or 'all'"),
        ({"tables": [{**example()["tables"][0], "rows": {"after": {"acuracy": "0.9"}}}]}, "did you mean 'accuracy'"),
        ({"claims": [{**example()["claims"][1], "value": None}]}, "kind value needs two numbers"),
        ({"claim_2024": {1: " "}}, "1 is ' '; say in words"),
        ({"tables": [{**example()["tables"][0], "rows": {"after": {"accuracy": 0.88}}}]}, "in quotes"),
        ({"tables": [{**example()["tables"][0], "rows": {"": {}}}]}, r"tables\.0\.rows: a name is empty; write one$"),
        ({"tables": [{**example()["tables"][0], "rows": {"": 3}}]}, r"tables\.0\.rows: a name is empty; write one;"),
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


def test_a_claim_of_two_papers_is_an_error_that_names_the_second(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(example(study=name)), encoding="utf-8")
    with pytest.raises(CxrbenchError, match=r"b\.yaml: another paper has a claim 'covid-cnn-after' too"):
        published.load(tmp_path)


def test_the_layer_table_of_the_view_paper_adds_up_to_its_parameters():
    facts = {fact["what"]: fact["printed"] for fact in PAPERS["view-network"].facts}
    layers = [int(text.rsplit(", ", 1)[1].replace(" ", "")) for what, text in facts.items() if what.endswith(
        ": output, parameters")]  # fmt: skip
    assert len(layers) == 11
    assert sum(layers) == 105_761
    assert facts["Parameters: all, trained"] == "105 761, 105 761"


def test_one_division_alone_of_500_images_lets_a_run_have_the_four_test_figures_of_2020():
    row = PAPERS["inception-v3"].tables[0].rows["published"]
    figures = [row[metric][0].rounded_from for metric in ("recall", "precision", "accuracy", "f1")]
    fitting = set()
    for positive, true in itertools.product(range(1, 500), range(500)):
        if true > positive or not figures[0][0] * positive <= true <= figures[0][1] * positive:
            continue
        for false in range(501 - positive):
            right = true + 500 - positive - false
            values = (true / (true + false or 1), right / 500, 2 * true / (positive + true + false))
            if all(low - 1e-9 <= value <= high + 1e-9 for value, (low, high) in zip(values, figures[1:])):
                fitting.add((500 - positive, positive))
    assert fitting == {(200, 300)}
