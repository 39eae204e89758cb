"""Names of params.yaml and the modules they stand for: cxrbench's own, and those that a package announces."""

import sys

import pytest

from cxrbench.base import plugins
from cxrbench.base.errors import CxrbenchError
from cxrbench.config.checked import check
from cxrbench.config.cohort import Cohort
from cxrbench.config.loss_forms import form_of
from cxrbench.config.setting import Setting

FILES = {
    "pack/__init__.py": "raise RuntimeError('imported')",
    "pack/net.py": "import nothing_like_it\n",
    "alone.py": "LABELS = 'one_hot'\n",
    "quiet/__init__.py": "",
    "quiet/net.py": "import nothing_like_it\n",
    "quiet/loss.py": "import nothing_like_it\n\nLABELS = 'index'\n",
    "quiet/no_labels.py": "LABELS = tuple('ab')\n",
}


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    """A function that announces names of a kind as an installed package does."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))

    def announce(kind, **modules):
        lines = [f"[cxrbench.{kind}]", *(f"{name} = {module}" for name, module in modules.items())]
        folder = tmp_path / f"{kind}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {kind}\nVersion: 1\n")
        (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
        plugins._announced.cache_clear()

    yield announce
    plugins._announced.cache_clear()
    plugins.constant.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] in ("pack", "quiet", "alone")]:
        del sys.modules[name]


def test_every_file_in_the_folder_of_a_kind_is_one_of_its_names():
    assert "small_cnn" in plugins.built_in("model")
    assert plugins.built_in("augmentation") == ("paper", "robust")
    assert "kaggle" in plugins.built_in("source")
    assert plugins.module_of("model", "small_cnn") == "cxrbench.training.models.small_cnn"


def test_an_announced_name_may_stand_in_params_yaml_and_nothing_of_it_is_imported(installed):
    installed("model", mine="pack.net")
    assert check(Setting, {"model": "mine"}).model == "mine"
    assert plugins.names("model")[-1] == "mine"
    assert "pack" not in sys.modules
    with pytest.raises(CxrbenchError, match="'mne' is unknown; did you mean 'mine'"):
        check(Setting, {"model": "mne"})


def test_a_name_that_nobody_announces_is_an_error_that_lists_the_others(installed):
    with pytest.raises(
        CxrbenchError, match=r"model mine is in no installed package; install .* name one of .*small_cnn"
    ):
        plugins.load("model", "mine")


def test_a_package_that_takes_a_name_of_cxrbench_is_refused(installed):
    installed("model", small_cnn="pack.net")
    with pytest.raises(CxrbenchError, match=r"model small_cnn is cxrbench's own, and pack\.net of"):
        plugins.module_of("model", "small_cnn")


def test_a_module_that_can_not_be_imported_is_one_sentence_with_its_reason(installed):
    installed("model", mine="quiet.net")
    with pytest.raises(CxrbenchError, match=r"mine is module quiet\.net, which can't be imported .*nothing_like_it"):
        plugins.load("model", "mine")


@pytest.mark.parametrize(("module", "units"), [("quiet.loss", 2), ("alone", 2)])
def test_the_labels_of_a_loss_are_read_without_importing_it(installed, module, units):
    installed("loss", mine=module)
    assert form_of("mine").units == units
    assert module not in sys.modules


@pytest.mark.parametrize("module", ["quiet.no_labels", "quiet.net"])
def test_a_loss_without_labels_is_refused_with_the_words_it_may_say(installed, module):
    installed("loss", mine=module)
    with pytest.raises(CxrbenchError, match=f"LABELS = None; write one of binary, one_hot, index in {module}"):
        form_of("mine")


def test_a_module_that_is_gone_is_one_sentence(installed):
    installed("loss", mine="quiet.gone", other="gone.loss")
    with pytest.raises(CxrbenchError, match="package quiet has no such file; install it anew"):
        form_of("mine")
    with pytest.raises(CxrbenchError, match=r"module gone\.loss is not installed as files of Python"):
        form_of("other")


def test_options_belong_to_a_source_of_ones_own_and_the_other_keys_to_cxrbenchs(installed):
    installed("source", mine="quiet.net")
    names = {"positive": "p", "negative": "n", "root": "x"}
    assert check(Cohort, {"source": "mine", "options": {"a": 1}, **names}).options == {"a": 1}
    with pytest.raises(CxrbenchError, match="but only source of an installed package has it"):
        check(Cohort, {"source": "kaggle", "options": {"a": 1}, **names})
    with pytest.raises(CxrbenchError, match="but only source directory has it"):
        check(Cohort, {"source": "mine", "table": "t.csv", **names})
