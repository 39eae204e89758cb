"""DICOM's stored values become the grey that a viewer shows on first opening the file.

Stored values -> modality rescale or table -> window or table of the values of interest -> inverted for MONOCHROME1
(DICOM PS3.3 2024, C.7.6.3.1.2 and C.11). ``dataset`` is pydicom's; only its image elements are read.
"""

from typing import Any

import numpy as np
from PIL import Image


def display(dataset: Any, stored: np.ndarray) -> np.ndarray:
    """uint8 [rows, columns], 0 black to 255 white, of integers [rows, columns] or RGB [rows, columns, 3].

    NotImplementedError for a photometric interpretation that is none of those.
    """
    kind, bits = str(dataset.PhotometricInterpretation), int(dataset.BitsStored)
    if kind == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        stored = apply_color_lut(stored, dataset)
        bits = 8 * stored.dtype.itemsize
    if stored.ndim == 3:
        colour = (stored >> max(0, bits - 8)).astype(np.uint8)
        return np.asarray(Image.fromarray(colour).convert("L"))
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise NotImplementedError(f"DICOM with {kind} pixels")
    background = _padding(dataset, stored)
    share = _of_interest(dataset, stored, ~background)
    if kind == "MONOCHROME1":
        share = 1 - share
    share[background] = 0
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)


def _padding(dataset: Any, stored: np.ndarray) -> np.ndarray:
    """bool [rows, columns]: where there is no film (C.7.5.1.1.2)."""
    if dataset.get("PixelPaddingValue") is None:
        return np.zeros(stored.shape, bool)
    ends = [dataset.PixelPaddingValue, dataset.get("PixelPaddingRangeLimit", dataset.PixelPaddingValue)]
    # Signed images are met with unsigned padding and the reverse; the cast wraps as the stored bits do.
    low, high = sorted(int(np.array(int(end)).astype(stored.dtype)) for end in ends)
    return (stored >= low) & (stored <= high)


def _of_interest(dataset: Any, stored: np.ndarray, film: np.ndarray) -> np.ndarray:
    """float32 [rows, columns]: 0 and below is shown darkest, 1 and above brightest."""
    values = stored.astype(np.float32)
    low, high = (0.0, 255.0) if stored.dtype == np.uint8 and int(dataset.BitsStored) == 8 else (np.nan, np.nan)
    if dataset.get("ModalityLUTSequence"):
        values, _ = _looked_up(dataset, values, dataset.ModalityLUTSequence[0])
        low = high = np.nan
    elif "RescaleSlope" in dataset or "RescaleIntercept" in dataset:
        slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
        values = values * np.float32(slope) + np.float32(intercept)
        low, high = sorted((low * slope + intercept, high * slope + intercept))
    if dataset.get("VOILUTSequence"):
        values, bits = _looked_up(dataset, values, dataset.VOILUTSequence[0])
        return values / np.float32(2**bits - 1)
    windowed = _windowed(dataset, values)
    if windowed is not None:
        return windowed
    if np.isnan(low):  # no window: all that the film holds; eight plain bits stay what they are in any other file
        low, high = (float(values[film].min()), float(values[film].max())) if film.any() else (0.0, 0.0)
    return (values - np.float32(low)) / np.float32(max(high - low, 1e-12))


def _windowed(dataset: Any, values: np.ndarray) -> np.ndarray | None:
    """C.11.2.1.2 and C.11.2.1.3; None where the file has no window, or one without width."""
    centre, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    function = str(dataset.get("VOILUTFunction") or "LINEAR")
    if not np.isfinite([centre, width]).all() or width < (1 if function == "LINEAR" else 1e-6):
        return None
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - np.float32(centre)) / np.float32(width)))
    if function == "LINEAR":  # from the first value to the last; without that, LINEAR_EXACT
        centre, width = centre - 0.5, max(width - 1, 1e-6)
    return (values - np.float32(centre)) / np.float32(width) + np.float32(0.5)


def _first(value: Any) -> float:
    """The first of several windows, or the only one; NaN where there is none."""
    if value is None or value == "":
        return float("nan")
    return float(value if isinstance(value, (int, float)) else value[0])


def _looked_up(dataset: Any, values: np.ndarray, item: Any) -> tuple[np.ndarray, int]:
    """float32 values from an item's table, and the bits of its entries (C.11.1.1 and C.11.2.1.1)."""
    first, bits = int(item.LUTDescriptor[1]), int(item.LUTDescriptor[2])
    if not 1 <= bits <= 16:
        raise ValueError(f"a table of {bits} bits an entry")
    table = item.LUTData
    if isinstance(table, bytes):
        order = "<" if dataset.original_encoding[1] else ">"
        packed = len(table) == int(item.LUTDescriptor[0]) and bits == 8
        table = np.frombuffer(table, "u1" if packed else f"{order}u2")
    entries = np.asarray(table, np.float32).ravel()
    places = np.clip(values - np.float32(first), 0, len(entries) - 1).astype(np.intp)
    return entries[places], bits
