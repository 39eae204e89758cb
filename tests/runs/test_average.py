"""Several networks become one that says the mean of what they say."""

import numpy as np
import pytest

from cxrbench.runs import average
from cxrbench.training import models


@pytest.mark.parametrize(("units", "activation"), [(1, "sigmoid"), (2, "softmax")])
def test_the_mean_of_networks_of_one_form_has_that_form_and_says_the_mean(tmp_path, units, activation):
    import keras

    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 1)).astype("uint8")
    paths, said = [], []
    for seed in range(3):
        keras.utils.clear_session()  # so that the layers of all have the same names, as those of runs do
        keras.utils.set_random_seed(seed)
        network = models.on_grey(models.build("small_cnn", 64, units, activation, None, None))
        paths.append(tmp_path / f"{seed}.keras")
        network.save(paths[-1])
        said.append(network.predict(images, verbose=0))
    average.mean_of(paths).save(tmp_path / "mean.keras")
    mean = keras.models.load_model(tmp_path / "mean.keras", compile=False)
    assert (mean.input_shape, mean.output_shape) == (network.input_shape, network.output_shape)
    assert np.ptp(said) > 0
    np.testing.assert_allclose(mean.predict(images, verbose=0), np.mean(said, axis=0), rtol=1e-5)


def test_one_network_is_its_own_mean(tmp_path):
    (tmp_path / "one.keras").write_bytes(b"weights")
    average.write([tmp_path / "one.keras"], tmp_path / "mean.keras")
    assert (tmp_path / "mean.keras").read_bytes() == b"weights"
