"""What arithmetic rules out of the papers' tables, as their reader is told."""

from pathlib import Path

import pytest
import yaml

from cxrbench import cli
from cxrbench.published import consistency, counts, papers
from cxrbench.published.consistency import check, sentence

REPO = Path(__file__).resolve().parents[2]
PAPERS = papers.load(REPO / "data/published")


def told(study):
    return [sentence(one) for one in check(PAPERS[study].tables).impossible]


def test_the_covid_log_prints_accuracies_that_86_images_cannot_give():
    found = told("covid-cnn")
    assert "Log of the test, epoch 6: accuracy 0.8581 cannot come from 40 + 46 images; the nearest is 0.8605." in found
    assert not any("Log of training" in one for one in found)
    assert {one.split(",")[1].split(":")[0].strip() for one in found} == {
        f"epoch {number}" for number in (0, 1, 3, 5, 6, 8, 10, 11, 12, 13)
    }


def test_figures_of_batch_size_16_cannot_stand_beside_each_other():
    found = told("batch-size")
    assert any("batch_size=16: accuracy 98.00, recall 97.00 and precision 99.78 cannot all come from" in one
               for one in found)  # fmt: skip
    for other in ("accuracy 98.00", "recall 97.00"):
        assert any(f"batch_size=16: {other} and f1 98.53 cannot all come from" in one for one in found)


def test_the_command_names_them_and_what_it_did_not_check(tmp_path, capsys):
    assert cli.main(["consistency", str(REPO / "data/published/covid-cnn.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("42 figures checked, 10 impossible")
    tree = yaml.safe_load((REPO / "data/published/view-network.yaml").read_text(encoding="utf-8"))
    for table in tree["tables"]:
        del table["images"]
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    assert cli.main(["consistency", str(tmp_path / "x.yaml")]) == 0
    assert "do not say on how many images" in capsys.readouterr().out


def test_of_images_whose_classes_are_not_counted_the_accuracy_alone_is_checked(capsys):
    assert cli.main(["consistency", str(REPO / "data/published/inception-v3.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "Abstract, validation, published: accuracy 89.68 cannot come from 1,100 images; the nearest is 89.64."
    )
    assert "f1, precision, recall, specificity not checked" in lines[2]
    assert lines[-1].startswith("3 figures checked, 2 impossible")


def test_figures_that_leave_too_many_counts_to_search_are_said_to_be_undecided(monkeypatch, capsys):
    monkeypatch.setattr(counts, "MOST_WORK", 0)
    consistency._smallest.cache_clear()
    assert cli.main(["consistency", str(REPO / "data/published/batch-size.yaml")]) == 0
    consistency._smallest.cache_clear()
    said = capsys.readouterr().out
    assert "together leave too many counts to search; not decided.\n" in said
    assert "nearest is ." not in said


@pytest.mark.parametrize(("text", "message"), [(None, "no such file"), ("study: [", "x.yaml"), ("a: 1", "x.yaml")])
def test_a_file_that_is_no_paper_is_one_sentence(tmp_path, capsys, text, message):
    path = tmp_path / "x.yaml"
    if text:
        path.write_text(text)
    assert cli.main(["consistency", str(path)]) == 1
    assert message in capsys.readouterr().err.lower()
