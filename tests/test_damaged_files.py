"""Every reader of a file that people or other versions write: damage is a sentence that names the file, or harmless.

Tables, archives, images, DICOM headers and tables of sources have tests of this kind beside their own.
"""

import copy
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.origins import read_origins
from cxrbench.cohorts.sources import medmnist
from cxrbench.config import params
from cxrbench.evaluation.runs import read_run
from cxrbench.evaluation.study_settings import read_settings
from cxrbench.published import papers
from cxrbench.training.checkpoint import Checkpoint
from cxrbench.training.epoch_log import EpochLog
from cxrbench.views import stored

ROOT = Path(__file__).parents[1]
SET = ROOT / "results" / "kaggle-small"
SCORES = "source,image_id,patient_id,part,target,score\na,i,p,validation,1,0.5\n"
VIEW = {
    "loss": "binary_crossentropy",
    "image_size": 64,
    "resize": "squash",
    "abstain": [0.1, 0.9],
    "run": "0123456789abcdef",
    "trained_on": {"pneumonia": {"train": {"frontal": 5, "lateral": 4}}},
    "sha256": hashlib.sha256(b"").hexdigest(),
}


class Trainer:
    """Takes any state."""

    def go_on(self, weights: list[np.ndarray], optimizer: list[np.ndarray]) -> None:
        assert all(isinstance(value, np.ndarray) for value in weights + optimizer)


def _run(path: Path) -> object:
    (path.parent / "scores.csv").write_text(SCORES)
    return read_run(path.parent)


def _view(path: Path) -> object:
    model = path.with_name("model.keras")
    model.write_bytes(b"")
    return stored.load(model)


def _arrays(path: Path) -> object:
    return medmnist.write_tree(path, path.parent / "tree", 28)


def _checkpoint(path: Path) -> object:
    return Checkpoint(path, "run").restore(Trainer(), EpochLog("last"))  # type: ignore[arg-type]


def of_arrays() -> bytes:
    file = io.BytesIO()
    rng = np.random.default_rng(0)
    parts = {f"{part}_images": rng.integers(0, 256, (3, 28, 28), dtype="uint8") for part in medmnist.PARTS}
    np.savez(file, **parts, **{f"{part}_labels": np.array([[0], [1], [0]]) for part in medmnist.PARTS})
    return file.getvalue()


def of_checkpoint() -> bytes:
    file = io.BytesIO()
    told = {"checkpoint": "last", "epochs": [], "best_loss": 1.0, "best_epoch": 0, "restored": 0, "run": "run"}
    np.savez(file, log=np.array(json.dumps(told)), weights_0000=np.ones(3), optimizer_0000=np.ones(2))
    return file.getvalue()


TREES: dict[str, tuple[str, Callable[[], Any], Callable[[Path], object]]] = {
    "parameters": ("params.yaml", lambda: yaml.safe_load((ROOT / "params.yaml").read_text()), params.load),
    "paper": (
        "batch-size.yaml",
        lambda: yaml.safe_load((ROOT / "data" / "published" / "batch-size.yaml").read_text()),
        papers.read,
    ),
    "origins": (
        "origins.json",
        lambda: json.loads((SET / "origins.json").read_text()),
        lambda path: read_origins(path.parent),
    ),
    "settings": ("settings.json", lambda: json.loads((SET / "settings.json").read_text()), read_settings),
    "run": ("run.json", lambda: next(iter(json.loads((SET / "records.json").read_text()).values())), _run),
    "view network": ("model.json", lambda: VIEW, _view),
}
FILES: dict[str, tuple[str, Callable[[], bytes], Callable[[Path], object]]] = {
    **{
        kind: (name, lambda name=name, tree=tree: text(name, tree()).encode(), read)
        for kind, (name, tree, read) in TREES.items()
    },
    "arrays": ("pneumoniamnist.npz", of_arrays, _arrays),
    "checkpoint": ("checkpoint.npz", of_checkpoint, _checkpoint),
}

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def text(name: str, tree: Any) -> str:
    return yaml.safe_dump(tree, allow_unicode=True) if name.endswith(".yaml") else json.dumps(tree)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """``content`` cut off, with a few bytes changed, or with a piece taken out or put in."""
    place, length = draw(st.integers(0, len(content))), draw(st.integers(0, 40))
    piece = draw(st.binary(max_size=6))
    kind = draw(st.sampled_from(["cut", "replace", "remove", "insert"]))
    taken = {"cut": len(content), "replace": len(piece), "remove": length, "insert": 0}[kind]
    put = b"" if kind in ("cut", "remove") else piece
    return content[:place] + put + content[place + taken :]


@st.composite
def changed(draw: st.DrawFn, tree: Any) -> Any:
    """``tree`` in which one value, at any depth, is another, or one key is missing or one too many."""
    tree = copy.deepcopy(tree)
    node, above, key = tree, None, None
    while isinstance(node, dict | list) and node and (above is None or draw(st.integers(0, 3))):
        above, key = node, draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        node = above[key]
    kind = draw(st.sampled_from(["other", "missing", "more"]))
    if above is None:
        return draw(plain)
    if kind == "other":
        above[key] = draw(plain)
    elif kind == "missing":
        del above[key]
    elif isinstance(above, dict):
        above[draw(st.text(max_size=5))] = draw(plain)
    else:
        above.append(draw(plain))
    return tree


def reads_or_says(read: Callable[[Path], object], path: Path) -> None:
    """Fails where ``read`` raises anything but a sentence that names the file or its folder."""
    try:
        read(path)
    except CxrbenchError as error:
        said = str(error)
        assert "\n" not in said, said
        assert path.stem in said or path.parent.name in said, said


def check_each(
    name: str, read: Callable[[Path], object], bad: st.SearchStrategy[bytes], made: pytest.TempPathFactory
) -> None:
    """``reads_or_says`` for files of that name which hold what ``bad`` draws."""

    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
    @given(bad)
    def check(content: bytes) -> None:
        path = made.mktemp("bad") / name
        path.write_bytes(content)
        reads_or_says(read, path)

    check()


@pytest.mark.parametrize("kind", FILES)
def test_damaged_bytes_are_a_sentence_that_names_the_file_or_harmless(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, good, read = FILES[kind]
    path = tmp_path_factory.mktemp("whole") / name
    path.write_bytes(good())
    read(path)
    check_each(name, read, damaged(good()), tmp_path_factory)


@pytest.mark.parametrize("kind", TREES)
def test_a_value_of_another_kind_is_a_sentence_that_names_the_file_or_harmless(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, good, read = TREES[kind]
    check_each(name, read, changed(good()).map(lambda tree: text(name, tree).encode()), tmp_path_factory)
