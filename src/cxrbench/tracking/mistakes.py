"""A setting's worst mistakes as one picture: where its runs were surest and wrong, which is where to look first."""

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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
LETTERS = 26  # of a line above an image, as many as fit
LETTERS_IN_TILE = 24
GREY = 128  # eight-bit, behind the words for an image that can't be shown


def worst(runs: Sequence[pd.DataFrame], most: int = MOST) -> pd.DataFrame:
    """The images that the mean score over ``runs`` (tables 'scores') calls wrongly, the surest first.

    Columns image_id, target (0, 1) and score (mean over the runs that did not diverge); of the test images, or of the
    validation images where a run has no others. Empty where nothing is called wrongly or every run diverged.
    """
    finite = [run for run in runs if np.isfinite(run["score"]).all()]
    if not finite:
        return pd.DataFrame(columns=["image_id", "target", "score"])
    seen = pd.concat(finite)
    seen = seen[seen["part"] == ("test" if (seen["part"] == "test").any() else "validation")]
    means = seen.groupby("image_id", as_index=False).agg(target=("target", "first"), score=("score", "mean"))
    wrong = means[(means["score"] >= THRESHOLD) != (means["target"] == 1)]
    wrong = wrong.assign(error=(wrong["score"] - wrong["target"]).abs())
    ordered = wrong.sort_values(["error", "image_id"], ascending=[False, True], ignore_index=True)
    return ordered[["image_id", "target", "score"]].head(most)


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
    rows = images.set_index("image_id").loc[chosen["image_id"]].assign(score=chosen["score"].to_numpy())
    positive = images.loc[images["target"] == 1, "label"].iloc[0]
    captions = [(f"score {row.score:.3f}, {row.label}", str(row.Index)) for row in rows.itertuples()]
    return sheet(f"{title}; score: P({positive})", [thumbnail_of(path) for path in rows["path"]], captions)


def sheet(title: str, thumbnails: Sequence[np.ndarray | str], captions: Sequence[tuple[str, str]]) -> "Figure":
    """A figure of ``title``, then each of ``thumbnails`` below its two lines of caption.

    A thumbnail is uint8 (SIZE_PX, SIZE_PX), 0 black to 255 white, or words to stand in its place.
    """
    from matplotlib.figure import Figure

    rows = -(-len(thumbnails) // COLUMNS)
    size = (COLUMNS * TILE_INCHES[0], rows * TILE_INCHES[1] + 0.4)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, parse_math=False)
    for axes in figure.subplots(rows, COLUMNS, squeeze=False).flat:
        axes.set_axis_off()
    for axes, image, caption in zip(figure.axes, thumbnails, captions):
        _draw_tile(axes, image, caption)
    return figure


def _draw_tile(axes: "Axes", image: np.ndarray | str, caption: tuple[str, str]) -> None:
    words = textwrap.fill(image, LETTERS_IN_TILE) if isinstance(image, str) else ""
    pixels = np.full((SIZE_PX, SIZE_PX), GREY, dtype="uint8") if isinstance(image, str) else image
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axes.text(4, 4, words, fontsize=8, color="white", va="top", parse_math=False)
    axes.set_title("\n".join(_cut(line) for line in caption), fontsize=7.5, loc="left", parse_math=False)


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
