"""What runs start from is there and fits, before the first of them is trained: a file of weights, or ImageNet's.

Keras would download ImageNet's weights in each worker, by a request that waits for ever, and in the middle of a grid.
"""

import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch.http import Patience, fetch_file
from cxrbench.base.progress import progress
from cxrbench.config.loss_forms import form_of
from cxrbench.config.setting import Setting
from cxrbench.runs.claims import take
from cxrbench.runs.fingerprint import weights_of

PATIENCE = Patience(attempts=4, timeout_seconds=30.0)  # whose network fails places the file by hand
MD5_DIGITS = 32  # of a check sum; Keras's others are SHA-256


def ready(settings: Collection[Setting], download: bool = True) -> None:
    """Every network of ``settings`` can start from its weights; ImageNet's are downloaded where they are missing.

    Raises CxrbenchError where a file does not fit its network, or where a download fails: then with the address, the
    checksum and the place of the file. ``download`` is False where other machines train, each with files of its own.
    """
    asked = list({json.dumps(form): form for form in map(_form, settings) if form["weights"]}.values())
    if not asked:
        return
    print("asking Keras whether networks can start from their weights", flush=True)
    for form, told in zip(asked, _answers(asked)):
        if "error" in told:
            raise CxrbenchError(told["error"])
        if told and download:
            _fetch(form["name"], told["url"], Path(told["file"]), told["hash"])


def _form(setting: Setting) -> dict[str, Any]:
    """What ``models.build`` takes."""
    form, weights = form_of(setting.loss), weights_of(setting)
    return {
        "name": setting.model,
        "image_size_px": setting.image_size,
        "units": form.units,
        "activation": form.activation,
        "weights": None if weights is None else str(weights),
        "padding_px": setting.padding,
    }


def _answers(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "cxrbench.training.starts"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["no reason told"])[-1]
        raise CxrbenchError(f"Keras can't make the networks of runs that start from weights ({told})")
    answers: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def _fetch(model: str, url: str, file: Path, checksum: str | None) -> None:
    """``file``, whole, from ``url``; another process that wants it too waits."""
    md5, sha256 = (checksum, None) if checksum and len(checksum) == MD5_DIGITS else (None, checksum)
    try:
        claim = take(file.with_name(f".{file.name}.lock"), wait=True)
        assert claim
        with claim, progress(f"fetch {file.name}", 1) as advance:
            fetch_file(url, file, md5=md5, sha256=sha256, patience=PATIENCE)
            advance(1, "")
    except CxrbenchError as error:
        checked = f" ({'md5' if md5 else 'sha256'} {checksum})" if checksum else ""
        raise CxrbenchError(
            f"the ImageNet weights of model {model} can't be downloaded: {error}; or fetch {url} elsewhere{checked},"
            f" place it as {file}, and run again: no finished run is trained again"
        ) from None
    except OSError as error:
        raise CxrbenchError(f"{file} can't be written ({error.strerror}); mend that, or set KERAS_HOME") from None
