"""The command line: quick help, a table for any folder, one sentence for any mistake."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cxrbench import cli
from cxrbench.base.folders import list_files
from cxrbench.base.tables import read_table
from cxrbench.images.decode import load_square
from cxrbench.training import models
from cxrbench.views import folder, stored


def quick(*argv):
    """What a command prints, and which heavy modules it loaded."""
    heavy = "[m for m in ('tensorflow', 'keras', 'pandas', 'numpy', 'PIL', 'rich') if m in sys.modules]"
    call = f"try:\n cli.main({list(argv)})\nfinally:\n print({heavy}, file=sys.stderr)"
    code = f"import sys\nfrom cxrbench import cli\n{call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout, done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network of random weights that says frontal of bright images and lateral of dark ones."""
    home = tmp_path_factory.mktemp("model")
    network = models.on_grey(models.build("small_cnn", 64, 1, "sigmoid", None, None))
    dense = network.layers[-1].layers[-1]
    weights, _ = dense.get_weights()
    dense.set_weights([np.abs(weights) * 40, np.array([-3.0])])
    network.save(home / "trained.keras")
    model = stored.ViewModel(
        home / "model.keras", "binary_crossentropy", 64, "squash", (0.3, 0.7), "f00d",
        {"phantom": {"train": {"frontal": 3, "lateral": 2}}},
    )  # fmt: skip
    return stored.save(home / "trained.keras", model), network


@pytest.fixture
def radiographs(tmp_path):
    """A folder as found on a ward: 131 images of all sizes, and what else lies about."""
    root = tmp_path / "radio graphs"
    (root / "a, b").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for k in range(130):
        height, width = rng.integers(100, 400, 2)
        grain = rng.normal(k, 12, (height, width))
        image = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))
        image.save(root / ("a, b" if k % 3 else ".") / f"{k:03}.{('jpg', 'png')[k % 2]}")
    film = np.asarray(Image.open(root / "a, b" / "001.png"))
    Image.fromarray(np.pad(film, 30)).save(root / "framed.png")
    whole = (root / "000.jpg").read_bytes()
    (root / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "empty.png").touch()
    (root / "report\nof today.txt").write_text("dear colleague")
    (root / ".DS_Store").touch()
    return root


@pytest.mark.slow
def test_any_folder_becomes_a_table_with_the_networks_own_scores(trained, radiographs, tmp_path, capsys):
    model, network = trained
    out = tmp_path / "views.csv"
    assert cli.main(["views", str(radiographs), "--out", str(out), "--model", str(model.path), "--workers", "2"]) == 0
    table = read_table(out, "views")
    assert list(table["path"]) == list_files(str(radiographs))[0]
    bad = table[table["view_score"].isna()]
    assert {path.rpartition("/")[2]: reason.partition(":")[0] for path, reason in zip(bad["path"], bad["reason"])} == {
        "cut.jpg": "truncated", "empty.png": "empty", "report\nof today.txt": "not an image",
    }  # fmt: skip
    good = table.drop(bad.index)
    assert len(good) == 131
    squares = np.stack([load_square(path, 64, "trim") for path in good["path"]])[..., None]
    expected = network.predict(squares, verbose=0)[:, 0]
    assert np.ptp(expected) > 0.1
    assert np.allclose(good["view_score"], expected, atol=1e-5)
    # A margin changes no pixel; the score of the same pixels differs by rounding with their place in a batch.
    framed, plain = (good["path"].str.endswith(name).to_numpy().nonzero()[0] for name in ("/framed.png", "/001.png"))
    assert np.array_equal(squares[framed], squares[plain])
    scores = good["view_score"].to_numpy()
    assert np.allclose(scores[framed], scores[plain], rtol=0, atol=1e-6)
    said = capsys.readouterr()
    counts = good["view"].value_counts()
    for count, what in ((counts.get("frontal", 0), "frontal"), (counts.get("lateral", 0), "lateral"), (3, "that")):
        assert f"{count} {what}" in said.out
    assert "images a second" in said.out
    assert "f00d, trained on 3 frontal and 2 lateral images of phantom; 134 files" in said.err


def test_an_empty_folder_is_an_empty_table(trained, tmp_path):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "views.csv"
    assert cli.main(["views", str(tmp_path / "empty"), "--out", str(out), "--model", str(trained[0].path)]) == 0
    assert read_table(out, "views").empty


def test_ctrl_c_leaves_no_table_and_says_so(trained, radiographs, tmp_path, monkeypatch, capsys):
    def interrupted(files, model, workers):
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "score_files", interrupted)
    out = tmp_path / "out"
    command = ["views", str(radiographs), "--out", str(out / "views.csv"), "--model", str(trained[0].path)]
    assert cli.main(command) == 130
    assert capsys.readouterr().err.endswith("stopped; no table was written\n")
    assert list(out.iterdir()) == []


def test_a_full_disk_is_one_sentence_and_leaves_no_half_table(trained, radiographs, tmp_path, monkeypatch, capsys):
    def full(files, model, workers):
        yield from ()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folder, "score_files", full)
    out = tmp_path / "out" / "views.csv"
    assert cli.main(["views", str(radiographs), "--out", str(out), "--model", str(trained[0].path)]) == 1
    assert capsys.readouterr().err.endswith(f"error: {out}: No space left on device; free some space\n")
    assert list(out.parent.iterdir()) == []


def test_a_mistake_is_one_sentence(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = ["--model", str(trained[0].path)]
    for argv, told in (
        (["views", "nowhere", "--out", "t.csv", *model], "error: folder nowhere cannot be listed: No such file"),
        (["views", ".", "--out", ".", *model], "error: . is a folder"),
        (
            ["views", ".", "--out", "t.csv"],
            "model.keras, the view network, does not exist; run 'dvc repro view-filter'",
        ),
    ):
        assert cli.main(argv) == 1
        assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "argv", [[], ["views"], ["views", "."], ["views", ".", "--out", "t", "--workers", "0"], ["view"]]
)
def test_bad_usage_exits_with_2(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    assert caught.value.code == 2
    assert "usage: cxrbench" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "word"), [(["--help"], "views"), (["views", "--help"], "view_score"), (["--version"], "cxrbench ")]
)
def test_help_and_version_load_nothing_heavy(argv, word):
    said, loaded = quick(*argv)
    assert word in said
    assert loaded == "[]"
