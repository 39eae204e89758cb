"""Inception V3 (Szegedy et al. 2016) as Keras ships it."""

import functools

import keras

from cxrbench.training.models import applications

SMALLEST_PX = 75

build = functools.partial(applications.build, keras.applications.InceptionV3)
