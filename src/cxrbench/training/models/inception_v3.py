"""Inception V3 (Szegedy et al. 2016) as Keras ships it."""

import functools

import keras

from cxrbench.training import applications

SMALLEST_PX = 75
IMAGENET = True

build = functools.partial(applications.build, keras.applications.InceptionV3)
