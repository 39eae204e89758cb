"""A setting's worst mistakes as one picture: where its runs were surest and wrong, which is where to look first."""

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

from cxrbench.evaluation.metrics import THRESHOLD
from cxrbench.images.thumbnail import SIZE_PX, thumbnail

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 12
COLUMNS = 6
DPI = 100
TILE_INCHES = (1.9, 2.2)  # an image at about its own SIZE_PX, and two lines above it
HEAD_INCHES = 0.4  # the sheet's title
LETTERS = 26  # of a line above an image, as many narrow ones as fit
LETTERS_IN_TILE = 24
FONTS = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")
GREY = 128  # eight-bit, behind the words for an image that can't be shown
IMAGE = ["source", "image_id"]  # what names an image of a run


def worst(runs: Sequence[pd.DataFrame], most: int = MOST) -> pd.DataFrame:
    """The images that the mean score over ``runs`` (tables 'scores') calls wrongly, the surest first.

    Columns source, image_id, target (0, 1) and score (mean over the runs that did not diverge); of the test images, or
    of the validation images where a run has no others. Empty where nothing is called wrongly or every run diverged.
    """
    finite = [run for run in runs if np.isfinite(run["score"]).all()]
    if not finite:
        return pd.DataFrame(columns=[*IMAGE, "target", "score"])
    seen = pd.concat(finite)
    seen = seen[seen["part"] == ("test" if (seen["part"] == "test").any() else "validation")]
    means = seen.groupby(IMAGE, as_index=False).agg(target=("target", "first"), score=("score", "mean"))
    wrong = means[(means["score"] >= THRESHOLD) != (means["target"] == 1)]
    wrong = wrong.assign(error=(wrong["score"] - wrong["target"]).abs())
    ordered = wrong.sort_values(["error", *IMAGE], ascending=[False, True, True], ignore_index=True)
    return ordered[[*IMAGE, "target", "score"]].head(most)


def draw(
    title: str,
    runs: Sequence[pd.DataFrame],
    images: pd.DataFrame,
    thumbnail_of: Callable[[str], np.ndarray | str] = thumbnail,
    most: int = MOST,
) -> "Figure | None":
    """The sheet of the worst mistakes of ``runs``, or None where there are none.

    ``images`` are the cohort's rows of the table 'assignment'; ``thumbnail_of`` gives of a path its thumbnail, or the
    words to show instead.
    """
    chosen = worst(runs, most)
    if chosen.empty:
        return None
    rows = chosen[[*IMAGE, "score"]].merge(images, on=IMAGE, how="left", validate="1:1")
    positive = images.loc[images["target"] == 1, "label"].iloc[0]
    captions = [(f"score {row.score:.3f}, {row.label}", str(row.image_id)) for row in rows.itertuples()]
    return sheet(f"{title}; score: P({positive})", [thumbnail_of(path) for path in rows["path"]], captions)


def sheet(title: str, thumbnails: Sequence[np.ndarray | str], captions: Sequence[tuple[str, str]]) -> "Figure":
    """A figure of ``title``, then each of ``thumbnails`` below its two lines of caption.

    A thumbnail is uint8 (SIZE_PX, SIZE_PX), 0 black to 255 white, or words to stand in its place.
    """
    from matplotlib.figure import Figure

    rows = -(-len(thumbnails) // COLUMNS)
    height = rows * TILE_INCHES[1] + HEAD_INCHES
    figure = Figure(figsize=(COLUMNS * TILE_INCHES[0], height), dpi=DPI)
    fonts = _fonts()
    style: dict[str, Any] = {"ha": "left", "va": "top", "fontfamily": fonts, "parse_math": False}
    figure.suptitle(title, x=0.01, y=1 - 0.08 / height, fontsize=10, **style)
    # Places by hand: a layout engine draws all twice, and a grid has many settings.
    captions_inches = TILE_INCHES[1] - TILE_INCHES[0] + 0.1
    top = 1 - (HEAD_INCHES + captions_inches) / height
    places = {"left": 0.01, "right": 0.99, "bottom": 0.01, "top": top, "wspace": 0.06, "hspace": 0.24}
    for axes in figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=places).flat:
        axes.set_axis_off()
    for axes, image, caption in zip(figure.axes, thumbnails, captions):
        _draw_tile(axes, image, caption, fonts)
    return figure


def _draw_tile(axes: "Axes", image: np.ndarray | str, caption: tuple[str, str], fonts: list[str]) -> None:
    words = textwrap.fill(image, LETTERS_IN_TILE) if isinstance(image, str) else ""
    pixels = np.full((SIZE_PX, SIZE_PX), GREY, dtype="uint8") if isinstance(image, str) else image
    style: dict[str, Any] = {"fontsize": 7.5, "fontfamily": fonts, "parse_math": False}
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axes.text(4, 4, words, color="white", va="top", **style)
    axes.set_title("\n".join(_cut(line) for line in caption), loc="left", y=1, **style)


def _cut(text: str) -> str:
    """``text``, cut at its end to LETTERS; a Korean or Chinese letter is as wide as two others."""
    widths = np.cumsum([2 if east_asian_width(letter) in "WF" else 1 for letter in text])
    return text if not len(text) or widths[-1] <= LETTERS else f"{text[: int((widths < LETTERS).sum())]}…"


def _fonts() -> list[str]:
    """Matplotlib's own font, and those of FONTS that this machine has, for the letters that it lacks."""
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return ["DejaVu Sans", *(name for name in FONTS if name in installed)]
