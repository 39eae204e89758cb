"""A DICOM file is read: its header, and its pixels as eight-bit grey.

Compressed pixels go through pylibjpeg, in whose native code damaged bytes may end the process: parallel.py protects a
cohort from that.
"""

import dataclasses
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxrbench.images.dicom_display import PALETTE, display
from cxrbench.images.dicom_elements import Elements, name_of
from cxrbench.images.limits import Undecodable, cause, check_size

DEFLATED = b"1.2.840.10008.1.2.1.99"  # a transfer syntax that is unpacked before any size can be read from it
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
TAGS: list[str] = [
    *("SpecificCharacterSet", "PatientID", "StudyInstanceUID", "ViewPosition"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape"),
    *(keyword for names in PALETTE for keyword in names),
]


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What a DICOM file says of itself; empty strings where it does not."""

    mode: str = ""  # such as 'DICOM MONOCHROME1 12-bit'
    view_position: str = ""
    patient_id: str = ""
    study_id: str = ""  # StudyInstanceUID


def is_dicom(data: bytes) -> bool:
    """Whether the content is DICOM: the mark behind the preamble, or a file without preamble that starts with an
    element of group 2 or 8, as the standard wants it, in little endian.
    """
    return data[128:132] == b"DICM" or (data[:2] in (b"\x02\0", b"\x08\0") and data[3:4] == b"\0" and len(data) > 132)


def read(path: str, data: bytes) -> tuple[Image.Image, Header]:
    """The image in mode L and the header; raises Undecodable with the reason, for the size before any pixel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom tells of each odd value
        try:
            elements = _elements(path, data)
            _check_pixel_elements(elements)
            header = _header(elements.dataset)
            return Image.fromarray(display(elements, _stored(elements))), header
        except Undecodable:
            raise
        except MemoryError:
            raise Undecodable(path, "too large", "its pixels do not fit in memory") from None
        except Exception as error:  # pydicom and its decoders raise nearly anything on damaged bytes
            # pydicom makes use of no element but this one while it reads them.
            problem = f"its DICOM elements, or {name_of('SpecificCharacterSet')}, cannot be read{cause(error)}"
            raise Undecodable(path, "truncated", problem) from None


def _elements(path: str, data: bytes) -> Elements:
    """The elements that matter; the file is one of one image with pixels of whole numbers and of a known size."""
    import pydicom

    if DEFLATED in data[:1024]:
        raise Undecodable(path, "unsupported", "a deflated DICOM file; save it uncompressed")
    dataset = pydicom.dcmread(BytesIO(data), force=True, specific_tags=TAGS)
    if "Rows" not in dataset:  # a file cut inside its pixels loses all of its elements
        dataset = pydicom.dcmread(BytesIO(data), force=True, specific_tags=TAGS, stop_before_pixels=True)
    elements = Elements(path, dataset)
    if not elements.numbers("Rows") or not elements.numbers("Columns"):
        raise Undecodable(path, "not an image", f"no DICOM file with {name_of('Rows')} and {name_of('Columns')}")
    check_size(path, *(elements.whole(keyword, None, range(2**32)) for keyword in ("Columns", "Rows")))
    for keyword in ("FloatPixelData", "DoubleFloatPixelData"):
        if keyword in dataset:
            elements.refuse(keyword, "holds pixels of floating point", "unsupported")
    if not elements.block("PixelData"):
        elements.refuse("PixelData", "is absent or empty: the file ends before its pixels", "truncated")
    frames = elements.whole("NumberOfFrames", 1, range(2**31))
    if frames > 1:  # a sequence of images or a tomosynthesis; no rule says which frame would be the radiograph
        elements.refuse("NumberOfFrames", f"is {frames}; a radiograph has one frame", "unsupported")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian
        )
    return elements


def _check_pixel_elements(elements: Elements) -> None:
    """Reads what says how the pixels are stored, and puts the values into the data set for pydicom's decoder.

    PhotometricInterpretation and BitsAllocated have to be there, since nothing else says the same.
    """
    dataset = elements.dataset
    kind = elements.text("PhotometricInterpretation")
    if not kind:
        elements.refuse("PhotometricInterpretation", "is absent or empty; it says whether low values are dark")
    if kind not in (*COLOURS, "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"):
        elements.refuse("PhotometricInterpretation", f"is {kind[:16]!r}, which can't be shown", "unsupported")
    samples = 3 if kind in COLOURS else 1
    values = {
        "PhotometricInterpretation": kind,
        "SamplesPerPixel": elements.whole("SamplesPerPixel", samples, (samples,), "PhotometricInterpretation"),
        "Rows": elements.whole("Rows", None, range(2**16)),
        "Columns": elements.whole("Columns", None, range(2**16)),
        "BitsAllocated": (allocated := elements.whole("BitsAllocated", None, (1, 8, 16, 32))),
        "BitsStored": (stored := elements.whole("BitsStored", allocated, range(1, allocated + 1), "BitsAllocated")),
        "HighBit": elements.whole("HighBit", stored - 1, range(stored - 1, allocated), "BitsStored"),
        "PixelRepresentation": elements.whole("PixelRepresentation", 0, (0, 1)),
        "NumberOfFrames": 1,
    }
    if samples == 3:
        values["PlanarConfiguration"] = elements.whole("PlanarConfiguration", 0, (0, 1))
    for keyword in {*values, "PlanarConfiguration"} & set(dataset.dir()):
        del dataset[keyword]  # and with it a type that is not the element's
    for keyword, value in values.items():
        setattr(dataset, keyword, value)


def _header(dataset: Any) -> Header:
    return Header(
        f"DICOM {dataset.PhotometricInterpretation} {dataset.BitsStored}-bit",
        _text(dataset, "ViewPosition"),
        _text(dataset, "PatientID"),
        _text(dataset, "StudyInstanceUID"),
    )


def header_text(path: Path, keyword: str) -> str:
    """One element of the header of a file with an image; '' where it has none, or is no such DICOM file."""
    import pydicom

    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not is_dicom(file.read(256)):
                return ""
            file.seek(0)
            tags = ["SpecificCharacterSet", "Rows", keyword]
            dataset = pydicom.dcmread(file, force=True, specific_tags=tags, stop_before_pixels=True)
            return _text(dataset, keyword) if dataset.get("Rows") else ""
    except Exception:  # pydicom raises nearly anything on damaged bytes; reading the image will say what is wrong
        return ""


def _text(dataset: Any, keyword: str) -> str:
    """What identifies, in one line; '' where it can't be read, since the pixels are of use without it."""
    try:
        value = dataset.get(keyword) or ""
        text = value if isinstance(value, str) else "\\".join(map(str, value))
    except Exception:
        return ""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _stored(elements: Elements) -> np.ndarray:
    """The stored values, integers [rows, columns] or RGB [rows, columns, 3]."""
    from pydicom.encaps import get_frame
    from pydicom.pixels import get_decoder, pixel_array

    dataset = elements.dataset
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        get_decoder(syntax)
    except NotImplementedError:  # video, and what is unknown
        raise Undecodable(
            elements.path, "unsupported", f"{name_of('TransferSyntaxUID')} is {syntax.name[:64]}, which can't be read"
        ) from None
    try:
        if not syntax.is_compressed:
            _check_length(elements)
            bits, dataset.BitsStored = dataset.BitsStored, dataset.HighBit + 1  # pydicom clears the bits above
            values = pixel_array(dataset, index=0)
            dataset.BitsStored = bits
            return _without_low_bits(values, dataset.HighBit + 1 - bits, bits)
        size = stream_size(get_frame(dataset.PixelData, 0, number_of_frames=1))
        if size not in (None, (dataset.Columns, dataset.Rows)):
            elements.refuse(
                "PixelData",
                f"holds a stream of {size[0]} x {size[1]} pixels; {name_of('Columns')} and {name_of('Rows')} say"
                f" {dataset.Columns} x {dataset.Rows}",
                "truncated",
            )
        return pixel_array(dataset, index=0, decoding_plugin="pylibjpeg")
    except (Undecodable, MemoryError):
        raise
    except BaseException as error:
        # pydicom and its decoders raise nearly anything on damaged bytes; the RLE decoder's, of Rust, is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        elements.refuse("PixelData", f"cannot be decoded as {syntax.name}{cause(error)}", "truncated")


def _check_length(elements: Elements) -> None:
    """Whether pixels that are not compressed are all there."""
    dataset = elements.dataset
    samples = 2 if dataset.PhotometricInterpretation == "YBR_FULL_422" else dataset.SamplesPerPixel
    asked = -(-dataset.Rows * dataset.Columns * samples * dataset.BitsAllocated // 8)
    there = len(elements.block("PixelData"))
    if there < asked:
        elements.refuse(
            "PixelData",
            f"holds {there} bytes; {name_of('Rows')}, {name_of('Columns')} and {name_of('BitsAllocated')} ask for"
            f" {asked}",
            "truncated",
        )


def _without_low_bits(values: np.ndarray, low_bits: int, bits: int) -> np.ndarray:
    """Values of pixels that lie ``low_bits`` above the lowest bit of their words (DICOM PS3.5, 8.1.1).

    Unchanged where all fit into ``bits`` bits: then HighBit is wrong, as it often is.
    """
    most = 2 ** (bits - (values.dtype.kind == "i"))
    return values >> low_bits if low_bits and (values.max() >= most or values.min() < -most) else values


def stream_size(stream: bytes) -> tuple[int, int] | None:
    """Width and height that a JPEG, JPEG-LS or JPEG 2000 stream states; None where it states none, as RLE.

    The decoders take the memory that the stream asks for, not what the DICOM header says.
    """
    if stream[:4] == b"\xff\x4f\xff\x51":  # ISO/IEC 15444-1, A.5.1
        x1, y1, x0, y0 = (int.from_bytes(stream[at : at + 4], "big") for at in (8, 12, 16, 20))
        return x1 - x0, y1 - y0
    if stream[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:  # ISO/IEC 10918-1, B.2.2; 14495-1, C.2.2
        kind = stream[at + 1]
        if kind == 0xF7 or (0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC)):
            return int.from_bytes(stream[at + 7 : at + 9], "big"), int.from_bytes(stream[at + 5 : at + 7], "big")
        at += 1 if kind == 0xFF else 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return 0, 0
