"""Whatever an element of a DICOM file holds, it is shown as a viewer shows it or refused by the element's name."""

import re
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cxrbench.images.decode import decode
from cxrbench.images.dicom import TAGS
from cxrbench.images.dicom_elements import name_of
from cxrbench.images.examine import Picture, examine
from cxrbench.images.limits import Undecodable
from tests.images.dicom_files import IMPLICIT, dicom_bytes, lut, with_element

TWELVE = (np.arange(36 * 40) * 4095 // (36 * 40 - 1)).astype(np.uint16).reshape(36, 40)  # 0 to 4095
WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
PLAIN = {"bits": 12, "RescaleSlope": 1, "RescaleIntercept": 0, **WINDOW}
PYTHON = re.compile(r"argument|object|NoneType|index|unpack|invalid literal|could not convert|attribute|Error|\bint\b")


def outcome(tmp_path, data):
    """Grey, float [rows, columns], or the refusal."""
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    seen = examine(str(path))
    return seen if isinstance(seen, Undecodable) else np.asarray(decode(path), float)


def refusal(tmp_path, data):
    seen = outcome(tmp_path, data)
    assert isinstance(seen, Undecodable), f"shown, mean grey {seen.mean():.0f}"
    return f"{seen.reason}: {seen.detail}"


def grey(tmp_path, data):
    seen = outcome(tmp_path, data)
    assert isinstance(seen, np.ndarray), f"{seen.reason}: {seen.detail}"
    return seen


@pytest.fixture
def as_seen(tmp_path):
    """The grey that TWELVE is to have in any of these files."""
    return grey(tmp_path, dicom_bytes(TWELVE, **PLAIN))


@pytest.mark.parametrize("declared", [8, 10, 12, 16, 0])
def test_a_voi_table_narrower_or_wider_than_it_declares_is_shown_in_full(tmp_path, as_seen, declared):
    data = dicom_bytes(TWELVE, bits=12, VOILUTSequence=lut(0, np.arange(4096), declared))
    assert np.abs(grey(tmp_path, data) - as_seen).max() <= 1


@pytest.mark.parametrize("words", ["u1", "<u2"])
def test_a_voi_table_of_eight_bits_over_twelve_is_shown_in_bytes_and_in_words(tmp_path, as_seen, words):
    data = dicom_bytes(TWELVE, bits=12, VOILUTSequence=lut(0, np.arange(4096) >> 4, 8, words))
    assert np.abs(grey(tmp_path, data) - as_seen).max() <= 1


@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept", "VOILUTFunction", "PresentationLUTShape"])
@pytest.mark.parametrize("value", [None, b"", b"  "])
def test_an_absent_and_an_empty_element_mean_the_same(tmp_path, as_seen, keyword, value):
    data = with_element(dicom_bytes(TWELVE, **PLAIN), keyword, "DS", value)
    assert (grey(tmp_path, data) == as_seen).all()


@pytest.mark.parametrize("keyword", ["WindowCenter", "WindowWidth"])
def test_a_decimal_comma_is_a_decimal_point(tmp_path, as_seen, keyword):
    data = with_element(dicom_bytes(TWELVE, **PLAIN), keyword, "DS", f"{WINDOW[keyword]},0".encode())
    assert (grey(tmp_path, data) == as_seen).all()


@pytest.mark.parametrize(
    ("vr", "value"),
    [("US", b"\0\x08"), ("FD", struct.pack("<d", 2048)), ("LO", b"2048"), ("UN", b"2048"), ("OB", b"2048")],
)  # fmt: skip
def test_a_number_is_read_from_another_type_of_element(tmp_path, as_seen, vr, value):
    data = with_element(dicom_bytes(TWELVE, **PLAIN), "WindowCenter", vr, value)
    assert (grey(tmp_path, data) == as_seen).all()


def test_the_first_window_counts_where_more_centres_than_widths_are_given(tmp_path, as_seen):
    data = dicom_bytes(TWELVE, bits=12, WindowCenter=[2048, 1, 2], WindowWidth=[4096, 1])
    assert (grey(tmp_path, data) == as_seen).all()


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "told"),
    [
        ("RescaleSlope", "DS", b"wide", r"RescaleSlope \(0028,1053\) is 'wide', not a number"),
        ("RescaleSlope", "DS", b"1\\2", r"RescaleSlope \(0028,1053\) holds 2 values"),
        ("RescaleSlope", "DS", b"nan", "is 'nan', not a number"),
        ("RescaleSlope", "DS", b"1e999", "not a number"),
        ("RescaleSlope", "DS", b"0", r"one grey: .*RescaleSlope \(0028,1053\)"),
        ("RescaleIntercept", "DS", b"1e30", r"one grey: .*RescaleIntercept \(0028,1052\)"),
        ("RescaleSlope", "DS", b"1e300", r"RescaleSlope \(0028,1053\) is 1e\+300"),
        ("WindowCenter", "DS", b"90000", r"one grey: .*WindowCenter \(0028,1050\), WindowWidth \(0028,1051\)"),
        ("WindowWidth", "DS", b"1e30", r"one grey: .*WindowWidth \(0028,1051\)"),
        ("WindowWidth", "DS", b"\\4096", r"WindowWidth \(0028,1051\) is '', not a number"),
        ("VOILUTFunction", "CS", b"CUBIC", r"VOILUTFunction \(0028,1056\) is 'CUBIC'; it can be LINEAR"),
        ("PresentationLUTShape", "CS", b"INVERSE", r"PresentationLUTShape \(2050,0020\) is 'INVERSE' beside"),
        ("PhotometricInterpretation", "CS", b"", r"PhotometricInterpretation \(0028,0004\) is absent or empty"),
        ("PhotometricInterpretation", "CS", b"RGB", r"SamplesPerPixel \(0028,0002\) is '1'; it can be 3"),
        ("BitsAllocated", "US", None, r"BitsAllocated \(0028,0100\) is absent or empty"),
        ("BitsAllocated", "US", b"\x20\0", r"PixelData \(7FE0,0010\) holds 2880 bytes; .*BitsAllocated \(0028,0100\)"),
        ("BitsStored", "US", b"\x11\0", r"BitsStored \(0028,0101\) is '17'; it can be 1 to 16"),
        ("HighBit", "US", b"\x10\0", r"HighBit \(0028,0102\) is '16'; it can be 11 to 15"),
        ("PixelRepresentation", "US", b"\x07\0", r"PixelRepresentation \(0028,0103\) is '7'; it can be 0, 1"),
        ("NumberOfFrames", "IS", b"-3", r"NumberOfFrames \(0028,0008\) is '-3'"),
        ("NumberOfFrames", "IS", b"2", r"unsupported: NumberOfFrames \(0028,0008\) is 2; a radiograph has one frame"),
        ("PixelPaddingValue", "US", b"\0\0\1\0", r"PixelPaddingValue \(0028,0120\)"),
        ("VOILUTSequence", "SQ", b"garbage!", r"LUTDescriptor \(0028,3002\) of VOILUTSequence \(0028,3010\) holds 0"),
        ("ModalityLUTSequence", "LO", b"no table", r"ModalityLUTSequence \(0028,3000\) is not a sequence"),
        ("PixelData", "OW", b"", r"truncated: PixelData \(7FE0,0010\) is absent or empty"),
        ("PixelData", "LO", b"nothing", r"PixelData \(7FE0,0010\) does not hold bytes of data"),
        ("FloatPixelData", "OW", b"0000", r"unsupported: FloatPixelData \(7FE0,0008\)"),
        ("DoubleFloatPixelData", "OW", b"0000", r"unsupported: DoubleFloatPixelData \(7FE0,0009\)"),
        ("Rows", "US", b"\0\0\1\0", r"Rows \(0028,0010\)"),
        ("Rows", "US", b"\x25\0", r"PixelData \(7FE0,0010\) holds 2880 bytes; Rows \(0028,0010\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_the_name_of_the_element(tmp_path, keyword, vr, value, told):
    said = refusal(tmp_path, with_element(dicom_bytes(TWELVE, **PLAIN), keyword, vr, value))
    assert re.search(told, said), said


@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("lost", ["LUTDescriptor", "LUTData"])
def test_a_table_that_lacks_something_is_refused_by_both_names(tmp_path, sequence, lost):
    table = lut(0, np.arange(4096), 12)
    del table[0][lost]
    said = refusal(tmp_path, dicom_bytes(TWELVE, bits=12, **{sequence: table}))
    assert name_of(lost) in said
    assert f"of {name_of(sequence)}" in said


def test_a_table_that_is_shorter_than_it_says_is_refused(tmp_path):
    table = lut(0, np.arange(4096), 12)
    table[0].LUTDescriptor = [5000, 0, 12]
    said = refusal(tmp_path, dicom_bytes(TWELVE, bits=12, VOILUTSequence=table))
    assert "LUTData (0028,3006) of VOILUTSequence (0028,3010) holds 8192 bytes" in said
    assert "5000 entries" in said


def test_a_table_of_signed_values_starts_below_zero_with_and_without_a_type_in_the_file(tmp_path, as_seen):
    signed = TWELVE.astype(np.int16) - 2048
    for syntax in (IMPLICIT, None):
        made = {"syntax": syntax} if syntax else {}
        for sequence in ("VOILUTSequence", "ModalityLUTSequence"):
            data = dicom_bytes(signed, bits=12, **made, **{sequence: lut(-2048, np.arange(4096), 12)})
            assert np.abs(grey(tmp_path, data) - as_seen).max() <= 1


def test_a_table_of_as_many_entries_as_sixteen_bits_can_count_is_read(tmp_path, as_seen):
    table = lut(0, np.minimum(np.arange(65536) * 16, 65535), 16)
    assert table[0].LUTDescriptor[0] == 0
    assert np.abs(grey(tmp_path, dicom_bytes(TWELVE, bits=12, VOILUTSequence=table)) - as_seen).max() <= 1


def test_pixels_that_lie_high_in_their_words_and_an_overlay_above_them_are_no_grey(tmp_path, as_seen):
    high = dicom_bytes(TWELVE << 4, **{**PLAIN, "HighBit": 15})
    assert (grey(tmp_path, high) == as_seen).all()
    overlaid = TWELVE | (np.arange(40) % 7 == 0).astype(np.uint16) << 13
    assert (grey(tmp_path, dicom_bytes(overlaid, **PLAIN)) == as_seen).all()


def test_a_wrong_high_bit_changes_nothing(tmp_path, as_seen):
    assert (grey(tmp_path, dicom_bytes(TWELVE, **{**PLAIN, "HighBit": 15})) == as_seen).all()


@pytest.mark.parametrize("value", [63488, 2048, -2048])
def test_padding_is_found_whatever_bits_above_the_pixels_its_value_has(tmp_path, value):
    pixels = TWELVE.astype(np.int16) // 2
    pixels[:, :9] = -2048
    vr = "US" if value > 0 else "SS"
    padding = (value % 2**16).to_bytes(2, "little")
    seen = grey(tmp_path, with_element(dicom_bytes(pixels, bits=12), "PixelPaddingValue", vr, padding))
    assert not seen[:, :9].any()
    assert seen[:, 9:].min() == 0
    assert seen[35, 39] == 255


def test_one_hot_pixel_leaves_the_others_their_grey(tmp_path):
    hot = TWELVE.copy()
    hot[5, 5] = 65535
    plain = grey(tmp_path, dicom_bytes(TWELVE, bits=16))
    seen = grey(tmp_path, dicom_bytes(hot, bits=16))
    seen[5, 5] = plain[5, 5]
    assert np.abs(seen - plain).max() <= 1


def palette(words, bits):
    grey = np.arange(256).astype(words)
    tables = {}
    for colour in ("Red", "Green", "Blue"):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        tables[f"{colour}PaletteColorLookupTableData"] = (grey * 257 if bits == 16 else grey).astype(words).tobytes()
    return tables


PALETTE_PIXELS = (np.arange(36 * 40) % 256).astype(np.uint8).reshape(36, 40)


@pytest.mark.parametrize(("words", "bits"), [("u1", 8), ("<u2", 8), ("<u2", 16)])
def test_a_palette_is_read_in_bytes_and_in_words(tmp_path, words, bits):
    data = dicom_bytes(PALETTE_PIXELS, photometric="PALETTE COLOR", **palette(words, bits))
    assert np.abs(grey(tmp_path, data) - PALETTE_PIXELS).max() <= 1


BASES = {
    "window": dicom_bytes(TWELVE, **PLAIN),
    "no window": dicom_bytes(TWELVE, bits=12, PixelPaddingValue=0, PixelPaddingRangeLimit=5),
    "tables": dicom_bytes(
        TWELVE, bits=12, ModalityLUTSequence=lut(0, np.arange(4096), 12), VOILUTSequence=lut(0, np.arange(4096), 12)
    ),
    "inverted": dicom_bytes(TWELVE, photometric="MONOCHROME1", bits=12, PresentationLUTShape="INVERSE"),
    "colour": dicom_bytes(np.stack([PALETTE_PIXELS] * 3, axis=2), photometric="RGB"),
    "palette": dicom_bytes(PALETTE_PIXELS, photometric="PALETTE COLOR", **palette("u1", 8)),
}
NAMED = [keyword for keyword in TAGS if isinstance(keyword, str)]
TYPES = ["DS", "IS", "CS", "LO", "US", "SS", "UL", "FL", "FD", "OB", "OW", "UN", "SQ"]
EXTREMES = [
    *[None, b"", b" ", b"\\", b"\\\\1", b"0", b"1", b"-1", b"1e9", b"-1e300", b"1e-300", b"nan", b"inf", b"0x10"],
    *[b"1,5", b"2048\\1", b"LINEAR_EXACT", b"SIGMOID", b"MONOCHROME1", b"RGB", b"YBR_FULL_422", b"IDENTITY"],
    *[b"\0\0", b"\1\0", b"\x0c\0", b"\xff\xff", b"\0\x80", b"\x10\0\0\0\x10\0", b"\0\0\0\0\x08\0", b"\xff" * 8, b"\0"],
]  # fmt: skip
SAID_WITHOUT_A_NAME = {"too small", "too large"}  # by the size that Rows and Columns give


@settings(max_examples=600)
@given(
    st.sampled_from(sorted(BASES)),
    st.sampled_from(NAMED),
    st.sampled_from(TYPES),
    st.sampled_from(EXTREMES) | st.binary(max_size=20),
)
@example("window", "SpecificCharacterSet", "CS", b"ISO 9\\nonsense")
@example("window", "PatientID", "US", b"\1\0")
def test_any_element_may_hold_anything(tmp_path_factory, base, keyword, vr, value):
    folder = tmp_path_factory.getbasetemp()
    seen = outcome(folder, with_element(BASES[base], keyword, vr, value))
    if isinstance(seen, np.ndarray):
        assert seen.min() < seen.max()
        assert isinstance(examine(str(folder / "a.dcm")), Picture)
    else:
        assert not PYTHON.search(seen.detail), seen.detail
        assert seen.reason in SAID_WITHOUT_A_NAME or name_of(keyword) in seen.detail, (seen.reason, seen.detail)
