"""The perceptual hash: what leaves it alone, and what a mirror does to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cxrbench.images.perceptual import BITS, MIRRORED, distance, parse, phash


def picture(seed, width=150, height=130):
    """Smooth shapes over all scales, as a radiograph has."""
    rng = np.random.default_rng(seed)
    noise = Image.fromarray(rng.integers(0, 256, (24, 24), dtype=np.uint8))
    return noise.resize((width, height), Image.Resampling.BICUBIC)


def bits_apart(one, other):
    return int(distance(*parse([phash(one), phash(other)]))[0])


def test_a_hash_is_64_hexadecimal_digits_and_always_the_same():
    assert phash(picture(0)) == phash(picture(0))
    assert len(phash(picture(0))) * 4 == BITS == 256
    assert int(phash(picture(0)), 16) > 0


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(64, 300), st.integers(64, 300))
def test_the_hash_of_the_mirror_image_is_the_hash_with_half_its_bits_turned_over(seed, width, height):
    image = picture(seed, width, height)
    one, other = parse([phash(image), phash(ImageOps.mirror(image))])
    assert int(np.bitwise_count(one ^ MIRRORED ^ other).sum()) <= 2  # rounding, where a value is nearly zero


def test_a_shift_moves_few_bits_and_another_picture_half_of_them():
    image = picture(1)
    shifted = Image.new("L", image.size)
    shifted.paste(image, (6, -5))
    assert bits_apart(image, shifted) < 50
    others = [bits_apart(image, picture(seed)) for seed in range(2, 30)]
    assert min(others) > 85


def test_brightness_contrast_and_size_move_few_bits():
    image = picture(2)
    for copy in (image.point(lambda grey: 40 + grey * 0.6), image.resize((75, 65)), image.resize((200, 64))):
        assert bits_apart(image, copy) < 12


@pytest.mark.parametrize("grey", [0, 77, 255])
def test_an_even_picture_has_a_hash_of_zeros(grey):
    assert phash(Image.new("L", (300, 200), grey)) == "0" * 64


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (3000, 20)])
def test_the_oddest_sizes_have_a_hash(size):
    assert len(phash(picture(3, *size))) == 64


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=9))
def test_hashes_are_read_bit_for_bit(raw):
    words = parse([one.hex() for one in raw])
    assert words.shape == (len(raw), 4)
    assert words.tobytes() == b"".join(raw)


@pytest.mark.parametrize("hashes", [["00" * 8], ["00" * 32, ""], ["00" * 31, "00" * 33]])
def test_a_hash_of_another_length_is_refused(hashes):
    with pytest.raises(ValueError, match="64 digits"):
        parse(hashes)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=2))
def test_the_distance_is_to_the_picture_or_its_mirror_image_whichever_is_nearer(raw):
    one, other = parse([half.hex() for half in raw])
    plain = int(np.bitwise_count(one ^ other).sum())
    turned = int(np.bitwise_count(one ^ other ^ MIRRORED).sum())
    apart, mirrored = distance(one, other)
    assert (apart, mirrored) == (min(plain, turned), turned < plain)
