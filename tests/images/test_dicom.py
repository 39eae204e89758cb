"""A DICOM file looks as in a viewer, whatever its compression, and its header fills what the source leaves open."""

import numpy as np
import pytest
from pydicom import uid

from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.listing import SourceImage
from cxrbench.images.decode import decode, load_square
from cxrbench.images.dicom import stream_size
from cxrbench.images.examine import Picture, examine
from cxrbench.images.limits import Undecodable
from tests.images.dicom_files import EXPLICIT, IMPLICIT, bundled, dicom_bytes, jpeg_stream, lossless_stream, lut

RAMP = np.tile(np.arange(1000, 1000 + 40 * 64, 64, dtype=np.uint16), (36, 1))  # 12 bits, dark at the left
SHOWN = np.rint(np.linspace(0, 255, 40))


def shown(tmp_path, data):
    (tmp_path / "a.dcm").write_bytes(data)
    return np.asarray(decode(tmp_path / "a.dcm"), float)


def refused(tmp_path, data):
    (tmp_path / "a.dcm").write_bytes(data)
    seen = examine(str(tmp_path / "a.dcm"))
    assert isinstance(seen, Undecodable), seen
    return seen.reason


@pytest.mark.parametrize(
    "syntax",
    [IMPLICIT, EXPLICIT, uid.RLELossless, uid.JPEG2000Lossless, uid.JPEGLosslessSV1],
    ids=lambda syntax: syntax.name,
)
def test_each_lossless_syntax_gives_the_same_twelve_bit_ramp(tmp_path, syntax):
    assert (shown(tmp_path, dicom_bytes(RAMP, syntax, bits=12)) == SHOWN).all()


@pytest.mark.parametrize(
    "name", ["MR_small_RLE", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless", "MR_small_bigendian"]
)
def test_files_of_other_writers_are_the_same_picture_in_each_syntax(tmp_path, name):
    assert (shown(tmp_path, bundled(f"{name}.dcm")) == shown(tmp_path, bundled("MR_small.dcm"))).all()


def test_twelve_bit_jpeg_and_colour_lossless_jpeg_of_other_writers_are_read(tmp_path):
    assert shown(tmp_path, bundled("JPGExtended.dcm")).std() > 5
    lossless, plain = (shown(tmp_path, bundled(f"SC_rgb_{name}.dcm")) for name in ("jpeg_gdcm", "rle"))
    assert (lossless == plain).all()


def test_eight_bit_jpeg_keeps_its_grey_as_a_jpeg_file_does(tmp_path):
    pixels = np.tile(np.linspace(60, 180, 40).astype(np.uint8), (24, 1))
    for syntax in (uid.JPEGBaseline8Bit, EXPLICIT):
        assert np.abs(shown(tmp_path, dicom_bytes(pixels, syntax)) - pixels).max() <= 3


def test_monochrome1_is_inverted(tmp_path):
    assert (shown(tmp_path, dicom_bytes(RAMP, photometric="MONOCHROME1", bits=12)) == 255 - SHOWN).all()


def test_signed_pixels_with_padding_show_the_film_in_full_and_the_padding_black(tmp_path):
    pixels = RAMP.astype(np.int16) - 2000
    pixels[:, :4] = -30000
    for photometric, left, right in (("MONOCHROME2", 0, 255), ("MONOCHROME1", 255, 0)):
        grey = shown(tmp_path, dicom_bytes(pixels, photometric=photometric, bits=16, PixelPaddingValue=-30000))
        assert not grey[:, :4].any()
        assert (grey[0, 4], grey[0, -1]) == (left, right)
    ranged = dicom_bytes(pixels, bits=16, PixelPaddingValue=-31000, PixelPaddingRangeLimit=-29000)
    assert shown(tmp_path, ranged)[0, 4] == 0
    assert shown(tmp_path, ranged)[0, -1] == 255


def test_the_window_counts_in_rescaled_values_and_the_first_of_several(tmp_path):
    # Rescaled 0 to 2496 in steps of 64; the window shows 640 to 1280: columns 10 to 20.
    window = {"WindowCenter": [960.5, 1], "WindowWidth": [641, 1]}
    grey = shown(tmp_path, dicom_bytes(RAMP, bits=12, RescaleSlope=1, RescaleIntercept=-1000, **window))[0]
    assert not grey[:11].any()
    assert (grey[20:] == 255).all()
    assert grey[15] == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize(("function", "at_edge"), [("LINEAR_EXACT", 0), ("SIGMOID", 30.4)])
def test_other_window_functions_follow_the_standard(tmp_path, function, at_edge):
    window = {"WindowCenter": 1960, "WindowWidth": 640, "VOILUTFunction": function}
    grey = shown(tmp_path, dicom_bytes(RAMP, bits=12, **window))[0]
    assert grey[10] == pytest.approx(at_edge, abs=1)  # 1640, the lower edge
    assert grey[15] == pytest.approx(127.5, abs=1)  # 1960, the centre


def test_a_window_without_width_is_no_window(tmp_path):
    grey = shown(tmp_path, dicom_bytes(RAMP, bits=12, WindowCenter=1200, WindowWidth=0))
    assert (grey == SHOWN).all()


def test_a_table_of_values_of_interest_goes_before_the_window(tmp_path):
    entries = np.arange(2560)[::-1] * 1023 // 2559  # falls from bright to dark over the ramp
    tables = {"VOILUTSequence": lut(1000, entries, 10), "WindowCenter": 1, "WindowWidth": 2}
    grey = shown(tmp_path, dicom_bytes(RAMP, bits=12, **tables))[0]
    assert (grey[0], grey[-1]) == (255, pytest.approx(6, abs=1))
    assert (np.diff(grey) < 0).all()


def test_a_modality_table_replaces_the_rescale(tmp_path):
    tables = {"ModalityLUTSequence": lut(0, np.arange(4096)[::-1], 12), "RescaleSlope": 5}
    assert (shown(tmp_path, dicom_bytes(RAMP, bits=12, **tables)) == 255 - SHOWN).all()


def test_colour_becomes_grey(tmp_path):
    eight = np.repeat(np.linspace(0, 255, 40).astype(np.uint8)[None, :, None], 36, 0).repeat(3, 2)
    for syntax in (EXPLICIT, uid.RLELossless, uid.JPEG2000Lossless):
        assert np.abs(shown(tmp_path, dicom_bytes(eight, syntax, "RGB")) - eight[..., 0]).max() <= 1
    sixteen = eight.astype(np.uint16) * 257
    assert np.abs(shown(tmp_path, dicom_bytes(sixteen, photometric="RGB")) - eight[..., 0]).max() <= 1
    assert shown(tmp_path, bundled("examples_palette.dcm")).std() > 5


def test_the_manifest_says_what_it_was_and_the_header_fills_what_the_source_leaves_empty(tmp_path):
    keys = {"PatientID": " P-7 ", "StudyInstanceUID": "1.2.9", "ViewPosition": "LL"}
    (tmp_path / "a.dcm").write_bytes(dicom_bytes(RAMP, photometric="MONOCHROME1", bits=12, **keys))
    known = SourceImage(tmp_path / "a.dcm", "b", "", "PA", "frontal", "own", study_id="s", patient_id_loose="loose")
    images, _ = ingest("x", [SourceImage(tmp_path / "a.dcm", "a"), known])
    assert list(images["mode"]) == ["DICOM MONOCHROME1 12-bit"] * 2
    columns = ["view_position", "view", "patient_id", "patient_id_loose", "study_id"]
    assert images.loc[0, columns].tolist() == ["LL", "lateral", "P-7", "P-7", "1.2.9"]
    assert images.loc[1, columns].tolist() == ["PA", "frontal", "own", "loose", "s"]
    assert (images["width"][0], images["height"][0]) == (40, 36)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
def test_a_file_without_preamble_or_with_another_ending_is_read_by_its_content(tmp_path, syntax):
    (tmp_path / "a.jpg").write_bytes(dicom_bytes(RAMP, syntax, bits=12, preamble=False))
    assert (np.asarray(decode(tmp_path / "a.jpg")) == SHOWN).all()
    assert load_square(tmp_path / "a.jpg", 16, "pad").max() > 200


def test_each_kind_of_unusable_dicom_has_its_reason(tmp_path):
    whole = dicom_bytes(RAMP, bits=12)
    assert refused(tmp_path, whole[:-100]) == "truncated"
    assert refused(tmp_path, whole[: whole.index(b"\xe0\x7f\x10\0")]) == "truncated"
    assert refused(tmp_path, whole[:200]) == "not an image"
    assert refused(tmp_path, b"\x08\0\x05\0" + bytes(400)) == "not an image"
    assert refused(tmp_path, dicom_bytes(RAMP[:, :10], bits=12)) == "too small"
    assert refused(tmp_path, bundled("test-SR.dcm")) == "not an image"
    assert refused(tmp_path, bundled("image_dfl.dcm")) == "unsupported"
    assert refused(tmp_path, dicom_bytes(RAMP, bits=12, NumberOfFrames=2)) == "unsupported"
    assert refused(tmp_path, dicom_bytes(RAMP, bits=12, PhotometricInterpretation="HSV")) == "unsupported"
    streamed = dicom_bytes(RAMP, uid.JPEG2000Lossless, bits=12)
    for other in (b"1.2.840.10008.1.2.4.94", b"1.2.840.10008.1.2.4.77"):  # pixels elsewhere; no syntax at all
        assert refused(tmp_path, streamed.replace(b"1.2.840.10008.1.2.4.90", other)) == "unsupported"
    assert refused(tmp_path, streamed[:-30]) == "truncated"


def test_a_size_that_no_radiograph_has_is_refused_before_its_pixels_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr("pydicom.pixels.pixel_array", None)
    assert refused(tmp_path, dicom_bytes(RAMP, bits=12, Rows=30_000, Columns=30_000)) == "too large"


def test_a_stream_that_asks_for_more_memory_than_the_header_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pydicom.pixels.pixel_array", None)
    for syntax in (uid.JPEG2000Lossless, uid.JPEGLosslessSV1):
        assert refused(tmp_path, dicom_bytes(RAMP, syntax, bits=12, Rows=37)) == "truncated"


def test_the_size_in_a_stream_is_found_behind_other_segments():
    pixels = np.zeros((24, 40), np.uint8)
    assert stream_size(jpeg_stream(pixels)) == (40, 24)
    assert stream_size(lossless_stream(pixels)) == (40, 24)
    assert stream_size(b"\xff\xd8\xff\xe0\0\x04ab" + jpeg_stream(pixels)[2:]) == (40, 24)
    assert stream_size(b"\0\0\0\x01") is None
    assert stream_size(b"\xff\xd8\xff") == (0, 0)


def test_a_patient_id_of_odd_bytes_still_goes_into_a_table(tmp_path):
    (tmp_path / "a.dcm").write_bytes(dicom_bytes(RAMP, bits=12, PatientID="P-7").replace(b"P-7 ", b"\xff\n\\a"))
    seen = examine(str(tmp_path / "a.dcm"))
    assert isinstance(seen, Picture)
    assert seen.patient_id.encode()
    assert seen.patient_id.isprintable()
