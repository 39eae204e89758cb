"""Line charts as small SVG that follow the page's light and dark colours.

Colour and dash both name a setting, so that none depends on telling colours apart. Drawn with Matplotlib's Figure
alone: no pyplot, no global state, the same bytes for the same data.
"""

import dataclasses
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#008060", "#b0478f", "#a97800", "#666667")  # after Okabe & Ito 2008, darkened
DASHES = ("", "5 2", "1.5 1.5", "6 2 1.5 2")  # SVG dash arrays, in line widths
LOG_FROM = 50  # a chart whose values span more than this factor is drawn on a logarithmic scale
INK, RULE = "#1b1c1d", "#d0d1d2"


@dataclasses.dataclass(frozen=True)
class Line:
    """One run's curve; ``style`` is the number of its setting."""

    style: int
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray


def line_chart(lines: Sequence[Line], title: str, x_label: str, y_label: str, roc: bool = False) -> str:
    """An SVG element of a chart, about 340 x 230 pixels; ``roc`` fixes both axes to 0..1 and draws the diagonal."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.7, 3.2), layout="constrained")
    axes = figure.subplots()
    _draw(axes, lines, title, x_label, y_label, roc)
    return _svg(figure, title)


def _draw(axes: "Axes", lines: Sequence[Line], title: str, x_label: str, y_label: str, roc: bool = False) -> None:
    from matplotlib.ticker import MaxNLocator

    if roc:
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    for line in lines:
        axes.plot(
            np.asarray(line.x),
            np.asarray(line.y),
            color=COLOURS[line.style % len(COLOURS)],
            linestyle=_dash(line.style),
            linewidth=1.3,
            marker="o" if len(line.x) == 1 else None,
            markersize=3,
        )
    values = np.concatenate([np.asarray(line.y, dtype="float64") for line in lines]) if lines else np.empty(0)
    values = values[np.isfinite(values)]
    if not roc and len(values) and 0 < values.min() * LOG_FROM < values.max():
        axes.set_yscale("log")  # one run that explodes would press all others flat
    axes.set_title(title, fontsize=10, loc="left", color=INK)
    axes.set_xlabel(x_label, fontsize=9, color=INK)
    axes.set_ylabel(y_label, fontsize=9, color=INK)
    axes.tick_params(labelsize=9, colors=INK, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.grid(color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)


def _dash(style: int) -> str | tuple[int, tuple[float, ...]]:
    dashes = DASHES[style % len(DASHES)]
    return (0, tuple(float(length) for length in dashes.split())) if dashes else "solid"


def _svg(figure: "Figure", salt: str) -> str:
    """The figure as an SVG element in the page's own font and colours, its coordinates to a hundredth."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)  # ids that nothing refers to, and that a page would repeat
    text = re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found.group()):.2f}", text)
    text = text.replace(INK, "currentColor").replace(RULE, "var(--rule)")
    for i, colour in enumerate(COLOURS):
        text = text.replace(colour, f"var(--c{i})")
    return text.replace("<svg ", f'<svg role="img" aria-label="{salt}" ', 1).strip()
