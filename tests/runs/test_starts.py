"""What runs start from is asked for, fetched whole and checked, before any run; what fails says where the file goes."""

import hashlib
import json
import subprocess
import sys
import threading

import numpy as np
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.setting import Setting
from cxrbench.runs import starts
from cxrbench.training import models
from cxrbench.training import starts as worker
from tests.cohorts.fetch.server import NO_STALL, Server, answer, cut, status

BODY = np.random.default_rng(0).bytes(50_000)
MD5 = hashlib.md5(BODY).hexdigest()
PATH, NAME = "/keras-applications/net_notop.h5", "net_notop.h5"
IMAGENET = [Setting(model="xception", image_size=96, weights="imagenet", lr=lr) for lr in (0.1, 0.01)]


@pytest.fixture
def server():
    with Server({PATH: BODY}) as server:
        yield server


@pytest.fixture
def keras_says(monkeypatch, tmp_path, server):
    """Keras's answer: it wants the server's file below ``tmp_path``, with that check sum."""
    file = tmp_path / "models" / NAME
    asked = []

    def say(checksum=MD5):
        told = {"url": server.url(PATH), "file": str(file), "hash": checksum}
        monkeypatch.setattr(starts, "_answers", lambda forms: asked.extend(forms) or [told] * len(forms))
        monkeypatch.setattr(starts, "PATIENCE", NO_STALL)
        return file

    say.asked = asked
    return say


def refusal(settings=IMAGENET):
    with pytest.raises(CxrbenchError) as caught:
        starts.ready(settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_weights_are_fetched_once_for_all_runs(keras_says, server):
    file = keras_says()
    starts.ready(IMAGENET)
    assert file.read_bytes() == BODY
    assert [form["name"] for form in keras_says.asked] == ["xception"]
    starts.ready(IMAGENET)
    assert len(server.seen) == 1
    assert [path.name for path in file.parent.iterdir()] == [NAME]


@pytest.mark.parametrize("checksum", [MD5, hashlib.sha256(BODY).hexdigest(), None])
def test_a_download_that_was_cut_goes_on_and_is_whole(keras_says, server, checksum):
    file = keras_says(checksum)
    server.script(PATH, cut(10_000), cut(20_000))
    starts.ready(IMAGENET)
    assert file.read_bytes() == BODY


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([status(404)], "does not exist (404)"),
        ([status(403)], "is not open to everyone (403)"),
        ([cut(0)] * 8, "times in a row"),
        ([answer(body=b"other" * 100)], f"not the {MD5} expected"),
    ],
)
def test_a_download_that_fails_says_what_to_place_where_and_leaves_no_file(keras_says, server, steps, told):
    file = keras_says()
    server.script(PATH, *steps)
    message = refusal()
    assert told in message
    assert f"fetch {server.url(PATH)} elsewhere (md5 {MD5}), place it as {file}, and run again" in message
    assert not file.exists()


def test_a_host_that_is_not_there_says_the_same(keras_says, server):
    file = keras_says()
    server.__exit__(None, None, None)
    message = refusal()
    assert f"place it as {file}" in message
    server.__enter__()


def test_a_file_placed_by_hand_is_taken_and_a_wrong_one_replaced(keras_says, server):
    file = keras_says()
    file.parent.mkdir()
    file.write_bytes(BODY)
    starts.ready(IMAGENET)
    assert server.seen == []
    file.write_bytes(BODY[:-1])
    starts.ready(IMAGENET)
    assert file.read_bytes() == BODY


def test_two_grids_that_want_one_file_fetch_it_once(keras_says, server):
    file = keras_says()
    threads = [threading.Thread(target=starts.ready, args=(IMAGENET,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read_bytes() == BODY
    assert len(server.seen) == 1


def test_machines_that_have_files_of_their_own_are_sent_none(keras_says, server):
    file = keras_says()
    starts.ready(IMAGENET, download=False)
    assert not file.exists()


def test_a_grid_that_starts_from_random_weights_asks_nothing(monkeypatch):
    monkeypatch.setattr(starts, "_answers", None)
    starts.ready([Setting()])


@pytest.mark.slow
def test_keras_says_in_a_process_of_its_own_which_file_it_wants_and_downloads_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    settings = [Setting(model="resnet50", weights="imagenet"), Setting(weights="imagenet")]
    told, none = starts._answers([starts._form(setting) for setting in settings])
    assert told["url"].startswith("https://")
    assert told["file"] == str(tmp_path / "models" / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5")
    assert len(told["hash"]) == starts.MD5_DIGITS
    assert not list((tmp_path / "models").iterdir())
    assert "no ImageNet weights of model small_cnn" in none["error"]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "empty", "text", "of another network"])
def test_a_file_that_does_not_fit_is_an_error_before_any_run(monkeypatch, tmp_path, damage):
    monkeypatch.setattr(starts, "_answers", lambda forms: [worker.answer(**form) for form in forms])
    file = tmp_path / "start.weights.h5"
    other = "small_cnn" if damage == "of another network" else "quick_cnn"
    models.build(other, 64, 1, "sigmoid", None, None).save_weights(file)
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "text": b"hello " * 99}.get(damage, whole))
    message = refusal([Setting(model="quick_cnn", weights=str(file))])
    assert f"weights {file} do not fit model quick_cnn (" in message
    file.write_bytes(whole)
    starts.ready([Setting(model=other, weights=str(file))])


def test_a_process_that_cannot_answer_is_an_error_in_words(monkeypatch):
    failed = subprocess.CompletedProcess([sys.executable], 1, "", "Traceback\nImportError: no keras")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    assert refusal().endswith("(ImportError: no keras)")
    answered = subprocess.CompletedProcess([], 0, "Downloading data\n" + json.dumps([{}]), "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answered)
    starts.ready(IMAGENET)
