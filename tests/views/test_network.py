"""The network's process answers in order, says what is wrong with a model, and ends with its caller."""

import shutil
import signal
from multiprocessing import get_context

import numpy as np
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.training import backend, models
from cxrbench.views import network
from cxrbench.views.stored import ViewModel


def described(path, loss="binary_crossentropy", image_size=64):
    return ViewModel(path, loss, image_size, "squash", (0.1, 0.9), "run", {}, "").network


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    models.on_grey(models.build("small_cnn", 64, 2, "softmax", None, None)).save(path)
    return path


def test_a_model_of_another_form_is_refused_with_both_forms(trained):
    with pytest.raises(CxrbenchError, match=r"\(None, 64, 64, 1\) to \(None, 2\), .* \(None, 96, 96, 1\)"):
        network.load(described(trained, "categorical_crossentropy", 96))
    with pytest.raises(CxrbenchError, match=r"to \(None, 2\), but its description asks for .* to \(None, 1\)"):
        network.load(described(trained))


@pytest.mark.parametrize("content", [b"", b"weights", b"PK\3\4"])
def test_a_file_that_keras_cannot_load_is_one_sentence(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(CxrbenchError, match=r"model\.keras cannot be loaded by Keras \d.*; run 'dvc repro"):
        network.load(described(tmp_path / "model.keras"))


@pytest.mark.parametrize("name", ["network", "network_v1.2", "best.h5", "model.keras.bak"])
def test_a_model_file_may_have_any_name(trained, tmp_path, name):
    shutil.copy(trained, tmp_path / name)
    loaded = network.load(described(tmp_path / name, "categorical_crossentropy"))
    assert loaded.output_shape == (None, 2)


def test_the_score_is_the_probability_of_frontal_whatever_the_batch(trained):
    loaded = network.load(described(trained, "categorical_crossentropy"))
    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 1), dtype=np.uint8)
    whole = network.probabilities(loaded, "categorical_crossentropy", images)
    assert whole.shape == (5,)
    assert np.allclose(whole, loaded.predict(images, verbose=0)[:, 1], atol=1e-6)
    single = [network.probabilities(loaded, "categorical_crossentropy", image[None])[0] for image in images]
    assert np.allclose(whole, single, atol=1e-6)


class Caller:
    """The other end of the pipe: sends ``batches`` and is gone."""

    def __init__(self, batches):
        self.batches, self.answers = list(batches), []

    def recv(self):
        if not self.batches:
            raise EOFError
        return self.batches.pop(0)

    def send(self, answer):
        self.answers.append(answer)


@pytest.fixture
def caller(monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(backend, "start", lambda threads: None)
    monkeypatch.setattr(network, "probabilities", lambda loaded, loss, images: images * loaded)
    yield Caller([(0, 1), (1, 1), (0, 3)])
    signal.signal(signal.SIGINT, before)


def test_the_process_answers_in_order_and_ends_when_its_caller_has_gone(monkeypatch, caller):
    monkeypatch.setattr(network, "load", lambda model: 10 if model.image_size == 64 else 20)
    network._serve(caller, [described("m.keras"), described("n.keras", image_size=96)], 1)
    assert caller.answers == [10, 20, 30]


def test_a_model_that_cannot_be_used_is_told_once(monkeypatch, caller):
    def refuse(model):
        raise CxrbenchError("of another form")

    monkeypatch.setattr(network, "load", refuse)
    network._serve(caller, [described("m.keras")], 1)
    assert [str(answer) for answer in caller.answers] == ["of another form"]


def test_a_process_that_dies_is_one_sentence_with_how_it_died():
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=exit, args=(3,))
    process.start()
    theirs.close()
    with pytest.raises(CxrbenchError, match=r"process of the network m\.keras ended with exit code 3"):
        network._ask(ours, process, "m.keras", np.zeros((1, 2, 2, 1), np.uint8))
