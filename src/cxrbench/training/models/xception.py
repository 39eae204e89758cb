"""Xception (Chollet 2017) as Keras ships it."""

import functools

import keras

from cxrbench.training import applications

SMALLEST_PX = 71
IMAGENET = True

build = functools.partial(applications.build, keras.applications.Xception)
