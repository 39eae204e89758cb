"""DICOM files made in the test, in each transfer syntax that can be written here."""

import io

import numpy as np
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLosslessSV1

IMPLICIT, EXPLICIT = ImplicitVRLittleEndian, ExplicitVRLittleEndian


def dicom_bytes(pixels, syntax=EXPLICIT, photometric="MONOCHROME2", bits=None, preamble=True, **elements):
    """A file of integers [rows, columns] or RGB [rows, columns, 3]; ``elements`` by keyword are added or replaced."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3.4"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if syntax in STREAMS:
        dataset.PixelData = encapsulate([STREAMS[syntax](pixels)])
        dataset["PixelData"].VR = "OB"
    else:
        dataset.PixelData = pixels.tobytes()
        dataset["PixelData"].VR = "OW" if pixels.itemsize > 1 else "OB"
        if syntax.is_compressed:
            dataset.file_meta.TransferSyntaxUID = EXPLICIT
            dataset.compress(syntax, pixels, generate_instance_uid=False)
    for name, value in elements.items():
        setattr(dataset, name, value)
    buffer = io.BytesIO()
    if preamble:
        dataset.save_as(buffer, enforce_file_format=True)
    else:
        del dataset.file_meta
        dataset.save_as(buffer, implicit_vr=syntax == IMPLICIT, little_endian=True)
    return buffer.getvalue()


def with_element(data, keyword, vr="", value=None):
    """A file of ``dicom_bytes`` in explicit little endian with an element's bytes replaced; None: without it."""
    tag = tag_for_keyword(keyword)
    start = 144 + int.from_bytes(data[140:144], "little")  # behind the file meta information
    elements, at = {}, start
    while at < len(data):
        group, element, kind = int.from_bytes(data[at : at + 2], "little"), data[at + 2 : at + 4], data[at + 4 : at + 6]
        long = kind in (b"OB", b"OW", b"SQ", b"UN")
        head = 12 if long else 8
        length = int.from_bytes(data[at + (8 if long else 6) : at + head], "little")
        end = len(data) if length == 0xFFFFFFFF else at + head + length
        elements[group << 16 | int.from_bytes(element, "little")] = data[at:end]
        at = end
    elements.pop(tag, None)
    if value is not None:
        value += (b" " if vr in ("DS", "IS", "CS", "LO") else b"\0") * (len(value) % 2)
        long = vr in ("OB", "OW", "SQ", "UN")
        length = b"\0\0" + len(value).to_bytes(4, "little") if long else len(value).to_bytes(2, "little")
        number = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
        elements[tag] = number + vr.encode() + length + value
    return data[:start] + b"".join(elements[tag] for tag in sorted(elements))


def lut(first, entries, bits, words="<u2"):
    """A sequence of one item that holds a table."""
    item = Dataset()
    item.LUTDescriptor = [len(entries) % 2**16, first, bits]
    item.LUTData = np.asarray(entries, words).tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "SS" if first < 0 else "US", "OW"
    return [item]


def bundled(name):
    """A file that comes with pydicom itself, for what nothing here can write (JPEG-LS)."""
    return open(get_testdata_file(name, download=False), "rb").read()


def jpeg_stream(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def lossless_stream(pixels):
    """JPEG process 14, first-order prediction (ISO/IEC 10918-1, annex H), every category coded in five bits."""
    precision = 16 if pixels.itemsize == 2 else 8
    values = pixels.astype(np.int64)
    left = np.empty_like(values)
    left[:, 1:] = values[:, :-1]
    left[1:, 0] = values[:-1, 0]
    left[0, 0] = 1 << (precision - 1)
    bits = []
    for difference in ((values - left + 32768) % 65536 - 32768).ravel().tolist():
        size = abs(difference).bit_length()
        bits.append(f"{size:05b}")
        if 0 < size < 16:
            bits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    scan = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    rows, columns = (side.to_bytes(2, "big") for side in pixels.shape)
    frame = b"\xff\xc3\0\x0b" + bytes([precision]) + rows + columns + b"\x01\x01\x11\0"
    table = b"\xff\xc4\0\x24\0" + bytes([0, 0, 0, 0, 17] + [0] * 11) + bytes(range(17))
    return b"\xff\xd8" + frame + table + b"\xff\xda\0\x08\x01\x01\0\x01\0\0" + scan + b"\xff\xd9"


STREAMS = {JPEGBaseline8Bit: jpeg_stream, JPEGLosslessSV1: lossless_stream}
