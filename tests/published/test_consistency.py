"""What arithmetic rules out of the papers' tables, as their reader is told."""

from pathlib import Path

import pytest

from cxrbench import cli
from cxrbench.published import papers
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
    assert any("batch_size=16: accuracy 98.00, recall 97.00 and f1 98.53 cannot all come from" in one for one in found)


def test_the_command_names_them_and_what_it_did_not_check(capsys):
    assert cli.main(["consistency", str(REPO / "data/published/covid-cnn.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("41 figures checked, 10 impossible")
    assert cli.main(["consistency", str(REPO / "data/published/view-network.yaml")]) == 0
    assert "do not say on how many images" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "message"), [(None, "no such file"), ("study: [", "x.yaml"), ("a: 1", "x.yaml")])
def test_a_file_that_is_no_paper_is_one_sentence(tmp_path, capsys, text, message):
    path = tmp_path / "x.yaml"
    if text:
        path.write_text(text)
    assert cli.main(["consistency", str(path)]) == 1
    assert message in capsys.readouterr().err.lower()
