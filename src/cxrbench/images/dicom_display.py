"""DICOM's stored values become the grey that a viewer shows on first opening the file.

Stored values -> modality rescale or table -> table or window of the values of interest -> inverted for MONOCHROME1
(DICOM PS3.3 2024, C.7.6.3.1.2 and C.11). A step that leaves one grey only is a refusal that names its elements.

Why not pydicom's own functions (3.0.2): apply_modality_lut fails on each table that is not of 8 or 16 bits;
apply_voi scales nothing, so that a table of fewer bits than it declares comes out black, and in a table of 8-bit
entries it counts places in 8 bits, so that all beyond 255 wrap round, as apply_color_lut does; apply_windowing refuses
a width that viewers ignore; apply_modality_lut and apply_windowing need both elements of a pair and stop at an empty
one with a Python error.
"""

import numpy as np
from PIL import Image

from cxrbench.images.dicom_elements import Elements, name_of
from cxrbench.images.stretch import black_and_white

PALETTE = tuple(
    (f"{colour}PaletteColorLookupTableDescriptor", f"{colour}PaletteColorLookupTableData")
    for colour in ("Red", "Green", "Blue")
)
LUT = ("LUTDescriptor", "LUTData")


def display(elements: Elements, stored: np.ndarray) -> np.ndarray:
    """uint8 [rows, columns], 0 black to 255 white, of integers [rows, columns] or RGB [rows, columns, 3].

    Undecodable where an element that the way to grey needs cannot be used, or leaves one grey only.
    """
    kind = elements.dataset.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        stored = _from_palette(elements, stored)
    if stored.ndim == 3:
        return np.asarray(Image.fromarray(_eight_bits(stored, elements.dataset.BitsStored)).convert("L"))
    background = _background(elements, stored)
    share, used = _shares(elements, stored, ~background)
    if _inverted(elements):
        share = 1 - share
    grey = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    grey[background] = 0
    if background.all():
        bits = f"{name_of('BitsStored')} {elements.dataset.BitsStored}"
        problem = f"and {name_of('PixelPaddingRangeLimit')} leave no pixel of {bits} that is not padding"
        elements.refuse("PixelPaddingValue", problem, "one grey")
    shown, held = grey[~background], stored[~background]
    if used and shown.min() == shown.max() and held.min() < held.max():
        problem = f"makes one grey of pixels from {held.min()} to {held.max()}"
        elements.refuse(used[-1], f"{problem} (used: {', '.join(map(name_of, used))})", "one grey")
    return grey


def _inverted(elements: Elements) -> bool:
    """PhotometricInterpretation decides, as in most viewers; IDENTITY beside MONOCHROME1 is what writers leave by
    default (C.11.6), but INVERSE beside MONOCHROME2 is said on purpose, and viewers differ on it.
    """
    inverted: bool = elements.dataset.PhotometricInterpretation == "MONOCHROME1"
    shape = elements.text("PresentationLUTShape")
    if shape not in ("", "IDENTITY", "INVERSE") or (shape == "INVERSE" and not inverted):
        elements.refuse(
            "PresentationLUTShape",
            f"is {shape[:16]!r} beside {elements.dataset.PhotometricInterpretation}; viewers differ on what is white",
        )
    return inverted


def _background(elements: Elements, stored: np.ndarray) -> np.ndarray:
    """bool [rows, columns]: where there is padding and no image (C.7.5.1.1.2)."""
    signed = stored.dtype.kind == "i"
    fits = max(abs(int(stored.min())), int(stored.max())) < 2**elements.dataset.BitsStored
    spare = 8 * stored.itemsize - elements.dataset.BitsStored if fits else 0
    ends = {}
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        numbers = elements.numbers(keyword, signed)
        if len(numbers) > 1 or any(number % 1 or abs(number) >= 2**32 for number in numbers):
            elements.refuse(keyword, f"holds {numbers}, not one whole number")
        # Signed images are met with unsigned padding and the reverse, and padding with bits above the pixel's: the
        # cast and the shifts wrap it as the stored bits are.
        if numbers:
            value = np.array([int(numbers[0])]).astype(stored.dtype)
            ends[keyword] = int(((value << spare) >> spare)[0])
    if "PixelPaddingValue" not in ends:
        return np.zeros(stored.shape, bool)
    low, high = min(ends.values()), max(ends.values())
    return (stored >= low) & (stored <= high)


def _shares(elements: Elements, stored: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """float32 [rows, columns]: 0 and below is shown darkest, 1 and above brightest; and the elements used.

    ``image`` is bool [rows, columns], false where there is padding.
    """
    values = stored.astype(np.float32)
    plain = stored.dtype == np.uint8 and elements.dataset.BitsStored == 8
    low, high = (0.0, 255.0) if plain else (np.nan, np.nan)
    used = []
    if table := elements.first_item("ModalityLUTSequence"):
        values = _looked_up(values, *_table(table, *LUT, stored.dtype.kind == "i")).astype(np.float32)
        low = high = np.nan
        used.append("ModalityLUTSequence")
    else:
        slope, intercept = elements.number("RescaleSlope", 1), elements.number("RescaleIntercept", 0)
        if (slope, intercept) != (1, 0):
            values = values * np.float32(slope) + np.float32(intercept)
            low, high = sorted((low * slope + intercept, high * slope + intercept))
            used += ["RescaleSlope", "RescaleIntercept"]
            if not np.isfinite([values.min(), values.max()]).all():
                elements.refuse("RescaleSlope", f"is {slope:g}, {name_of('RescaleIntercept')} {intercept:g}: too large")
    if table := elements.first_item("VOILUTSequence"):
        first, entries = _table(table, *LUT, bool(values.min() < 0))
        bits = int(entries.max()).bit_length()  # which the largest needs, since tables of 12 bits declare 16
        return _looked_up(values, first, entries) / np.float32(max(2**bits - 1, 1)), [*used, "VOILUTSequence"]
    windowed = _windowed(elements, values)
    if windowed is not None:
        return windowed, [*used, "WindowCenter", "WindowWidth"]
    if np.isnan(low):  # no window: all that the image holds; eight plain bits stay what they are in any other file
        low, high = black_and_white(values, image)
    return (values - np.float32(low)) / np.float32(max(high - low, 1e-12)), used


def _windowed(elements: Elements, values: np.ndarray) -> np.ndarray | None:
    """The first window, by C.11.2.1.2 and C.11.2.1.3; None where the file has none, or one without width."""
    centres, widths = elements.numbers("WindowCenter"), elements.numbers("WindowWidth")
    function = elements.text("VOILUTFunction") or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        elements.refuse("VOILUTFunction", f"is {function[:16]!r}; it can be LINEAR, LINEAR_EXACT, SIGMOID")
    if not centres or not widths or widths[0] < (1 if function == "LINEAR" else 1e-6):
        return None
    centre, width = centres[0], widths[0]
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - np.float32(centre)) / np.float32(width)))
    if function == "LINEAR":  # from the first value to the last; without that, LINEAR_EXACT
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    return (values - np.float32(centre)) / np.float32(width) + np.float32(0.5)


def _table(elements: Elements, descriptor: str, data: str, signed: bool) -> tuple[float, np.ndarray]:
    """The value that the first entry stands for, and the entries, uint8 or uint16 (C.11.1.1 and C.11.2.1.1).

    ``signed`` says how the first value is read in a file that gives it no type.
    """
    numbers = elements.numbers(descriptor, signed)
    if len(numbers) != 3:
        elements.refuse(descriptor, f"holds {len(numbers)} values; it needs entries, first value and bits")
    count, first, bits = numbers
    count = int(count) % 2**16 or 2**16
    block = elements.block(data)
    if bits <= 8 and count <= len(block) < 2 * count:
        return first, np.frombuffer(block, "u1", count)
    if len(block) < 2 * count:
        elements.refuse(data, f"holds {len(block)} bytes; {name_of(descriptor)} says {count} entries of {bits:g} bits")
    return first, np.frombuffer(block, "<u2" if elements.little_endian(data) else ">u2", count)


def _looked_up(values: np.ndarray, first: float, entries: np.ndarray) -> np.ndarray:
    """The entry of each of float32 ``values``; those before the first and behind the last have the nearest."""
    return entries[np.clip(values - np.float32(first), 0, len(entries) - 1).astype(np.intp)]


def _from_palette(elements: Elements, places: np.ndarray) -> np.ndarray:
    """uint8 RGB [rows, columns, 3] of places in three tables (C.7.6.3.1.5)."""
    tables = [_table(elements, *names, places.dtype.kind == "i") for names in PALETTE]
    words = max(int(entries.max()) for _, entries in tables) > 255  # tables of eight bits are met in words of sixteen
    colours = [_looked_up(places.astype(np.float32), *table) for table in tables]
    return np.stack([colour >> 8 if words else colour for colour in colours], axis=2).astype(np.uint8)


def _eight_bits(colour: np.ndarray, bits: int) -> np.ndarray:
    """uint8 of colour of ``bits`` bits, or of as many as its largest value needs."""
    bits = max(bits, int(colour.max()).bit_length())
    if bits < 8:
        return np.rint(colour * (255 / (2**bits - 1))).astype(np.uint8)
    return (colour >> (bits - 8)).astype(np.uint8)
