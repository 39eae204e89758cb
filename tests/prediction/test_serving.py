"""``cxrbench serve`` of a registered model: images in base64 in, rows out, and no request harms the server."""

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from cxrbench.prediction.decoder import MAX_BYTES
from cxrbench.prediction.served import MAX_IMAGES, NO_VIEW_CHECK, model_in
from tests.images.dicom_files import dicom_bytes
from tests.prediction.networks import write_folder

START_S = 240
pytestmark = pytest.mark.slow
Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server of such a model, and the file of what it prints."""
    home = tmp_path_factory.mktemp("served")
    write_folder(home, home / "model")
    store = register(home)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cxrbench.cli", "serve", "covid", "--port", str(port)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            env=os.environ | {"MLFLOW_TRACKING_URI": store},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=home,
        )
    try:
        address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_S
        while not alive(address):
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.3)
        yield address, home / "log"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def register(home: Path) -> str:
    """Puts the folder 'model' of ``home`` into the registry of a store there, the store's address."""
    from mlflow import MlflowClient

    store = f"sqlite:///{home / 'mlflow.db'}"
    client = MlflowClient(store, registry_uri=store)
    client.create_registered_model("cxrbench-covid")
    version = client.create_model_version("cxrbench-covid", (home / "model").as_uri()).version
    client.set_registered_model_alias("cxrbench-covid", "best-mean", version)
    return store


def alive(address: str) -> bool:
    try:
        return requests.get(f"{address}/ping", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture
def ask(server: tuple[str, Path]) -> Iterator[Ask]:
    """Sends a body; afterwards the server must still answer as it should."""
    url = f"{server[0]}/invocations"

    def send(body: Any, kind: str = "application/json") -> requests.Response:
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return requests.post(url, data=data, headers={"Content-Type": kind}, timeout=120)

    yield send
    (row,) = send(records(image(255))).json()["predictions"]
    assert row["label"] == "covid"


def image(grey: int, form: str = "PNG") -> bytes:
    """A file of a noisy image about as bright as ``grey``."""
    noise = np.random.default_rng(0).integers(0, 8, (48, 64)) + min(grey, 247)
    Image.fromarray(noise.astype(np.uint8)).save(file := io.BytesIO(), form)
    return file.getvalue()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def records(*images: bytes) -> dict[str, Any]:
    return {"dataframe_records": [{"image": text(one)} for one in images]}


def test_each_format_is_answered_with_what_predict_says(ask: Ask) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(image(200)))).astype(np.uint16)
    dicom = dicom_bytes(pixels, bits=8, WindowCenter=128, WindowWidth=256)
    answer = ask(records(image(200), image(230, "JPEG"), dicom, image(130), image(60), image(10)))
    assert answer.status_code == 200
    rows = answer.json()["predictions"]
    assert [row["label"] for row in rows] == ["covid", "covid", "covid", None, "normal", None]
    assert [row["view"] for row in rows] == ["frontal", "frontal", "frontal", "frontal", "frontal", "lateral"]
    assert rows[0]["probability"] == pytest.approx(203.5 / 255, abs=0.01)
    assert (rows[0]["finding"], rows[0]["threshold"], rows[0]["abstain_from"]) == ("covid", 0.5, 0.4)
    assert rows[3]["reason"] == "the probability lies in the band where no label is given"
    assert rows[5]["reason"] == "not a frontal chest X-ray: lateral"


@pytest.mark.parametrize("form", ["inputs", "instances", "split"])
def test_every_form_of_request_that_mlflow_knows_is_read(ask: Ask, form: str) -> None:
    column = [text(image(255)), text(image(0))]
    body = {
        "inputs": {"inputs": {"image": column}},
        "instances": {"instances": [{"image": one} for one in column]},
        "split": {"dataframe_split": {"columns": ["image"], "data": [[one] for one in column]}},
    }[form]
    rows = ask(body).json()["predictions"]
    assert [row["view"] for row in rows] == ["frontal", "lateral"]


def test_the_view_check_is_left_out_where_the_user_says_so(
    server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = server[1].parent / "model"
    assert model_in(folder).view is not None
    monkeypatch.setenv(NO_VIEW_CHECK, "1")
    assert model_in(folder).view is None


def test_an_image_that_cannot_be_used_costs_its_own_row(ask: Ask) -> None:
    large = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(large, "PNG")
    whole = io.BytesIO()
    Image.effect_noise((400, 300), 40).save(whole, "JPEG")
    cut = whole.getvalue()[: len(whole.getvalue()) // 2]
    answer = ask(records(b"", b"dear colleague", cut, large.getvalue(), image(255)))
    assert answer.status_code == 200
    rows = answer.json()["predictions"]
    assert [row["reason"] and row["reason"].partition(":")[0] for row in rows] == [
        "empty", "not an image", "truncated", "too large", None
    ]  # fmt: skip
    assert rows[3]["reason"] == "too large: over 178956970 pixels"


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ("no json", "application/json", 400, "valid JSON"),
        ("[1, 2]", "application/json", 400, "JSON dictionary"),
        ({"images": ["AAAA"]}, "application/json", 400, "exactly one of the input fields"),
        ({"dataframe_records": [{"picture": "AAAA"}]}, "application/json", 400, "missing inputs ['image']"),
        ({"dataframe_records": [{"image": 7}]}, "application/json", 400, "image"),
        ({"dataframe_records": [{"image": "AAAAA"}]}, "application/json", 400, "image"),
        (image(255), "image/png", 415, "only supports the following content types"),
        (b"\xff\xfe", "application/json", 400, "valid JSON"),
    ],
)
def test_a_malformed_request_is_refused_in_words(ask: Ask, body: Any, kind: str, status: int, words: str) -> None:
    answer = ask(body, kind)
    assert answer.status_code == status
    assert words in answer.text


def test_what_is_no_base64_is_no_image(ask: Ask) -> None:
    for body in ({"inputs": {"image": ["%%%%"]}}, {"dataframe_records": [{"image": "%%%%"}, {"image": "%%ZGVhcg=="}]}):
        answer = ask(body)
        assert answer.status_code == 200
        reasons = {row["reason"].partition(":")[0] for row in answer.json()["predictions"]}
        assert reasons <= {"not an image", "empty"}


def test_more_images_than_a_request_may_hold_are_not_decoded(ask: Ask) -> None:
    rows = ask(records(*[image(255)] * (MAX_IMAGES + 2))).json()["predictions"]
    assert [row["label"] for row in rows] == ["covid"] * MAX_IMAGES + [None] * 2
    assert rows[-1]["reason"] == f"too many images: {MAX_IMAGES + 2} in one request; at most {MAX_IMAGES}"


def test_a_file_over_the_limit_is_refused(ask: Ask) -> None:
    (row,) = ask(records(bytes(MAX_BYTES + 1))).json()["predictions"]
    assert row["reason"] == f"too large: {MAX_BYTES + 1} bytes; at most {MAX_BYTES} in a request"


def test_nothing_of_a_request_is_in_the_log(ask: Ask, server: tuple[str, Path]) -> None:
    ask(records(b"a planted secret", image(255)))
    ask({"dataframe_records": [{"image": "a planted secret!"}]})
    log = server[1].read_text()
    assert "POST /invocations" in log
    assert "planted" not in log
    assert text(b"a planted secret")[:12] not in log
    assert text(image(255))[:40] not in log
