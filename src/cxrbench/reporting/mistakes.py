"""A setting's worst mistakes as one picture: where its runs were surest and wrong, which is where to look first."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cxrbench.evaluation.metrics import THRESHOLD
from cxrbench.images.thumbnail import SIZE_PX as TILE_PX
from cxrbench.images.thumbnail import thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 12
COLUMNS = 6
LINE_PX = 16
MOST_LETTERS = 60  # of the narrowest, as many as fit below a tile
INK, SOFT, PAPER, GREY = 20, 90, 255, 128  # eight-bit grey

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
    picture: Callable[[str], np.ndarray | str] = thumbnail,
    most: int = MOST,
) -> "Image | None":
    """The sheet of the worst mistakes of ``runs``, or None where there are none.

    ``images`` are the cohort's rows of the table 'assignment'; ``picture`` gives of a path a picture or words.
    """
    found = worst(runs, most)
    if found.empty:
        return None
    rows = found[[*IMAGE, "score"]].merge(images, on=IMAGE, how="left", validate="1:1")
    positive = images.loc[images["target"] == 1, "label"].iloc[0]
    captions = [(f"{row.label}, scored {row.score:.3f}", row.image_id) for row in rows.itertuples()]
    return sheet(f"{title}; score: P({positive})", [picture(path) for path in rows["path"]], captions)


def sheet(title: str, pictures: Sequence[np.ndarray | str], captions: Sequence[tuple[str, str]]) -> "Image":
    """One grey picture: ``title``, then each of ``pictures`` above its two lines of caption.

    A picture is uint8 [height, width], 0 black to 255 white, at most TILE_PX a side, or words to stand in its place.
    """
    from PIL import Image, ImageDraw, ImageFont

    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    step_px, row_px, top_px = TILE_PX + 8, TILE_PX + 2 * LINE_PX + 12, 2 * LINE_PX
    canvas = Image.new("L", (max(step_px * columns + 8, 420), top_px + row_px * rows + 4), PAPER)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(13)
    draw.text((8, 8), title, fill=INK, font=font)
    for i, (picture, caption) in enumerate(zip(pictures, captions)):
        left, top = 8 + step_px * (i % columns), top_px + row_px * (i // columns)
        if isinstance(picture, str):
            draw.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), fill=GREY)
            draw.text((left + 6, top + 6), _fitted(picture, font), fill=PAPER, font=font)
        else:
            canvas.paste(Image.fromarray(picture), (left, top))
        for line, (text, shade) in enumerate(zip(caption, (INK, SOFT))):
            draw.text((left, top + TILE_PX + 2 + line * LINE_PX), _fitted(text, font), fill=shade, font=font)
    return canvas


def _fitted(text: str, font: Any) -> str:
    """``text``, cut at its end to the width of a tile."""
    text, shown = text[:MOST_LETTERS], text[: MOST_LETTERS + 1]
    while font.getlength(shown) > TILE_PX:
        text = text[:-1]
        shown = f"{text}…"
    return shown
