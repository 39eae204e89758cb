"""Maps of the plane that augmentations draw, one an image, and images under them."""

from keras import KerasTensor, ops

from cxrbench.training.draws import Draws

SHIFT_SHARE = 0.1  # of the image's side


def backward_maps(
    images: KerasTensor, draws: Draws, degrees: float, most: float, wide: KerasTensor, high: KerasTensor
) -> KerasTensor:
    """[n, 8]: from output pixels back by scale, mirror, rotation, shear and shift around the centre."""
    height, width = images.shape[1], images.shape[2]
    angle = draws.between(-degrees, degrees) * (3.141592653589793 / 180)
    shear = draws.between(-most, most)
    mirror = ops.sign(draws.between(-1, 1) + 1e-9)
    cosine, sine = ops.cos(angle), ops.sin(angle)
    a, b = cosine * mirror / wide, (shear * cosine - sine) / high
    c, d = sine * mirror / wide, (shear * sine + cosine) / high
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    shift_x = middle_x + draws.between(-SHIFT_SHARE, SHIFT_SHARE) * width - a * middle_x - b * middle_y
    shift_y = middle_y + draws.between(-SHIFT_SHARE, SHIFT_SHARE) * height - c * middle_x - d * middle_y
    zero = ops.zeros_like(a)
    return ops.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)


def mapped(images: KerasTensor, maps: KerasTensor, outside: str) -> KerasTensor:
    return ops.image.affine_transform(images, maps, interpolation="bilinear", fill_mode=outside)
