"""A DICOM file is read: its header, and its pixels as eight-bit grey.

Compressed pixels go through pylibjpeg, in whose native code damaged bytes may end the process: parallel.py is what
stands between that and a cohort.
"""

import dataclasses
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from cxrbench.images.dicom_display import display
from cxrbench.images.limits import Undecodable, check_size, told

DEFLATED = b"1.2.840.10008.1.2.1.99"  # a transfer syntax that is unpacked before any size can be read from it
TAGS = (
    *("SpecificCharacterSet", "PatientID", "StudyInstanceUID", "ViewPosition"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData", "FloatPixelData"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
    *(
        f"{colour}PaletteColorLookupTable{what}"
        for colour in ("Red", "Green", "Blue")
        for what in ("Descriptor", "Data")
    ),
)


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
            dataset = _dataset(path, data)
            header = _header(dataset)
            stored = _stored(path, dataset)
            return Image.fromarray(display(dataset, stored)), header
        except Undecodable:
            raise
        except MemoryError:
            raise Undecodable(path, "too large", "its pixels do not fit in memory") from None
        except NotImplementedError as error:
            raise Undecodable(path, "unsupported", told(error)) from None
        except Exception as error:  # pydicom and its decoders raise nearly anything on damaged bytes
            raise Undecodable(path, "truncated", told(error)) from None
        except BaseException as error:  # the RLE decoder's, of Rust, is no Exception
            if type(error).__name__ != "PanicException":
                raise
            raise Undecodable(path, "truncated", told(error)) from None


def _dataset(path: str, data: bytes) -> Any:
    """The elements that matter, checked as far as can be without decoding."""
    import pydicom

    if DEFLATED in data[:1024]:
        raise Undecodable(path, "unsupported", "a deflated DICOM file; save it uncompressed")
    dataset = pydicom.dcmread(BytesIO(data), force=True, specific_tags=list(TAGS))
    if "Rows" not in dataset:  # a file cut inside its pixels loses all of its elements
        dataset = pydicom.dcmread(BytesIO(data), force=True, specific_tags=list(TAGS), stop_before_pixels=True)
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise Undecodable(path, "not an image", "no DICOM file with rows and columns of pixels")
    check_size(path, int(dataset.Columns), int(dataset.Rows))
    if "FloatPixelData" in dataset:
        raise Undecodable(path, "unsupported", "DICOM with pixels of floating point")
    if "PixelData" not in dataset:
        raise Undecodable(path, "truncated", "the DICOM file ends before its pixels")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:  # a film strip or a tomosynthesis; no rule says which frame would be the radiograph
        raise Undecodable(path, "unsupported", f"DICOM of {frames} frames; a radiograph has one")
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian
        )
    return dataset


def _header(dataset: Any) -> Header:
    return Header(
        f"DICOM {_text(dataset, 'PhotometricInterpretation')} {int(dataset.BitsStored)}-bit",
        _text(dataset, "ViewPosition"),
        _text(dataset, "PatientID"),
        _text(dataset, "StudyInstanceUID"),
    )


def _text(dataset: Any, name: str) -> str:
    value = dataset.get(name) or ""
    text = value if isinstance(value, str) else "\\".join(map(str, value))
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _stored(path: str, dataset: Any) -> np.ndarray:
    """The stored values, integers [rows, columns] or RGB [rows, columns, 3]."""
    from pydicom.encaps import get_frame
    from pydicom.pixels import get_decoder, pixel_array

    get_decoder(dataset.file_meta.TransferSyntaxUID)  # NotImplementedError for film and for what is unknown
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        return pixel_array(dataset, index=0)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    size = stream_size(frame)
    if size not in (None, (dataset.Columns, dataset.Rows)):
        raise Undecodable(
            path,
            "truncated",
            f"its header says {dataset.Columns} x {dataset.Rows} pixels, their stream other than that",
        )
    return pixel_array(dataset, index=0, decoding_plugin="pylibjpeg")


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
