"""Random changes of training images, as one affine map an image, on the fly.

'paper' is the list of Choe and Jo (2020): rotation within 45 degrees, shift in width and height, shear,
zoom, mirroring. Only the rotation has a number there; the other ranges are ours.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

ROTATION_DEGREES = 45.0
SHIFT_SHARE = 0.1  # of the image's side
SHEAR = 0.2  # tangent of the angle
ZOOM = 0.2  # scale factor 1 - ZOOM .. 1 + ZOOM


def layer(name: str, seed: int) -> "keras.layers.Layer | None":
    """The layer of setting ``augment``, any numbers [n, h, w, c] in, float32 of that shape out; None for 'none'."""
    if name == "none":
        return None
    import keras
    from keras import ops

    class RandomAffine(keras.layers.Layer):
        """Maps each output pixel back by mirror, rotation, shear, zoom and shift around the centre."""

        def __init__(self) -> None:
            super().__init__(name="random_affine", dtype="float32")
            self.generator = keras.random.SeedGenerator(seed)

        def call(self, images: "keras.KerasTensor") -> "keras.KerasTensor":
            images = ops.cast(images, "float32")
            count, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]

            def draw(low: float, high: float) -> "keras.KerasTensor":
                return keras.random.uniform((count,), low, high, seed=self.generator)

            angle = draw(-ROTATION_DEGREES, ROTATION_DEGREES) * (3.141592653589793 / 180)
            shear, scale = draw(-SHEAR, SHEAR), draw(1 - ZOOM, 1 + ZOOM)
            mirror = ops.sign(draw(-1, 1) + 1e-9)
            cosine, sine = ops.cos(angle) / scale, ops.sin(angle) / scale
            a, b = cosine * mirror, shear * cosine - sine
            c, d = sine * mirror, shear * sine + cosine
            middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
            shift_x = middle_x + draw(-SHIFT_SHARE, SHIFT_SHARE) * width - a * middle_x - b * middle_y
            shift_y = middle_y + draw(-SHIFT_SHARE, SHIFT_SHARE) * height - c * middle_x - d * middle_y
            zero = ops.zeros_like(a)
            maps = ops.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)
            return ops.image.affine_transform(images, maps, interpolation="bilinear", fill_mode="nearest")

    return RandomAffine()
