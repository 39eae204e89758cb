"""The ONNX file says what the networks say, names its ends, and is not left where it says something else."""

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs import onnx_file

ROUNDING = 1e-5  # float32 has steps of 6e-8 at 1, and these networks' last weights are 20 and 40 times as large
METADATA = {"threshold": "0.25", "labels": '["정상", "pneumonia"]', "image_size": "16"}
PAGE = Path(__file__).parents[2] / "docs" / "howto" / "export.md"
FORMS = {  # model, pixels, units, precision, padding
    "quick_cnn": ("quick_cnn", 16, 1, "float32", None),
    "covid_cnn, softmax": ("covid_cnn", 32, 2, "float32", 1),
    "quick_cnn, bfloat16": ("quick_cnn", 16, 1, "mixed_bfloat16", None),
}


def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr(onnx_file, "PACKAGES", ("onnx", "no_such_package"))
    with pytest.raises(CxrbenchError, match=r"needs no_such_package; .* pip install 'cxrbench\[onnx\]'"):
        onnx_file.write([tmp_path / "a.keras"], tmp_path / "a.onnx", {})


def test_made_up_images_have_every_brightness_and_any_size():
    for size in (8, 71):
        images = onnx_file.made_up_images(size)
        assert images.shape == (onnx_file.IMAGES, size, size, 1)
        assert images.dtype == "uint8"
        assert (images.min(), images.max()) == (0, 255)
        assert images.mean(axis=(1, 2, 3)).std() > 40


def trained(folder: Path, form: str) -> list[Path]:
    """Two networks of a form whose scores are far apart, as files."""
    import keras

    from cxrbench.training import models

    model, size, units, precision, padding = FORMS[form]
    files = []
    for seed in range(2):
        keras.utils.set_random_seed(seed)
        keras.config.set_dtype_policy(precision)
        try:
            built = models.build(model, size, units, "sigmoid" if units == 1 else "softmax", None, padding)
            network = models.on_grey(built)
        finally:
            keras.config.set_dtype_policy("float32")
        kernel = network.weights[-2]
        kernel.assign(kernel * 20 * (1 + seed))
        files.append(folder / f"{form}-{seed}.keras")
        network.save(files[-1])
    return files


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Form -> its networks' files, its ONNX file, what was found; made once."""
    from cxrbench.runs.average import mean_of

    folder = tmp_path_factory.mktemp("onnx")
    made = {}
    for form in FORMS:
        files, target = trained(folder, form), folder / f"{form}.onnx"
        made[form] = files, target, onnx_file.convert(mean_of(files), target, METADATA)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_the_file_gives_the_mean_of_the_networks_scores(converted, form):
    from cxrbench.runs.average import mean_of

    files, target, found = converted[form]
    size = FORMS[form][1]
    images = np.random.default_rng(1).integers(0, 256, (7, size, size, 1), dtype="uint8")  # another number of images
    said = onnx_file.scores_of(target, images)
    wanted = np.asarray(mean_of(files).predict_on_batch(images), "float64")[:, -1]
    if form.endswith("bfloat16"):
        np.testing.assert_allclose(said, wanted, atol=0.05)
        assert found.precision_difference > onnx_file.TOLERANCE
    else:
        np.testing.assert_allclose(said, wanted, atol=ROUNDING)
        assert found.precision_difference == pytest.approx(found.difference)
    assert found.difference < ROUNDING
    assert found.most - found.least > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_the_file_says_what_it_takes_what_it_gives_and_how_it_is_used(converted, form):
    import onnx

    model = onnx.load(converted[form][1])
    (image,), (score,), size = model.graph.input, model.graph.output, FORMS[form][1]
    assert (image.name, score.name) == ("image", "score")
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    dims = [one.dim_param or one.dim_value for one in image.type.tensor_type.shape.dim]
    assert dims == ["n", size, size, 1]
    assert [one.dim_param for one in score.type.tensor_type.shape.dim] == ["n"]
    assert {one.key: one.value for one in model.metadata_props} == METADATA
    assert model.doc_string.startswith("Not a medical device.")
    assert str(Path.home()).encode() not in converted[form][1].read_bytes()
    assert b"/src/cxrbench" not in converted[form][1].read_bytes()


@pytest.mark.slow
def test_the_sample_of_the_page_names_an_image(converted, monkeypatch, tmp_path, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(converted["quick_cnn"][1], "batch-size.onnx")
    images = onnx_file.made_up_images(16)
    said = onnx_file.scores_of(Path("batch-size.onnx"), images)
    for place, label in ((said.argmin(), "정상"), (said.argmax(), "pneumonia")):
        Image.fromarray(images[place, ..., 0]).save("chest.png")
        exec(code, {})
        assert capsys.readouterr().out.split()[0] == label
        assert (said[place] >= 0.25) == (label == "pneumonia")


@pytest.mark.slow
def test_where_scores_differ_no_file_is_left_and_an_older_one_stays(converted, monkeypatch, tmp_path):
    from cxrbench.runs.average import mean_of

    files, _, _ = converted["quick_cnn"]
    target = tmp_path / "a.onnx"
    target.write_text("older")
    right = onnx_file.scores_of
    for wrong in (2e-4, np.nan):
        monkeypatch.setattr(onnx_file, "scores_of", lambda *of, wrong=wrong: right(*of) + wrong)
        with pytest.raises(CxrbenchError, match=r"is not written: its scores would differ .* more than 0\.0001"):
            onnx_file.convert(mean_of(files), target, METADATA)
    assert target.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


@pytest.mark.slow
def test_a_converter_that_fails_is_one_sentence(converted, monkeypatch, tmp_path):
    from cxrbench.runs.average import mean_of

    monkeypatch.setattr(onnx_file, "_name_ends", lambda graph: 1 / 0)
    with pytest.raises(CxrbenchError, match=r"can't be written as ONNX \(ZeroDivisionError: division by zero\)"):
        onnx_file.convert(mean_of(converted["quick_cnn"][0]), tmp_path / "a.onnx", METADATA)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_it_is_written_in_a_process_of_its_own(converted, tmp_path):
    files, _, before = converted["quick_cnn"]
    found = onnx_file.write(files, tmp_path / "a.onnx", METADATA)
    assert (tmp_path / "a.onnx").is_file()
    assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(before), abs=1e-5)
