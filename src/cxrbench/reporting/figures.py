"""Line charts as small SVG that follow the page's light and dark colours.

Colour and dash both name a setting, so that none depends on telling colours apart. A line is the mean of a setting's
runs, the band around it goes from the lowest run to the highest.
"""

import dataclasses
from collections.abc import Sequence
from html import escape

import numpy as np

from cxrbench.evaluation.seed_bands import Band
from cxrbench.reporting.axes import SHARES, Axis, axis

COLOURS = 6  # of the page: --c0 to --c5 in style.html.j2
DASHES = ("", "7 3", "2 2.5", "8 3 2 3")  # SVG dash arrays, in pixels
WIDTH, HEIGHT = 340, 226  # of the whole chart, in pixels
LEFT, RIGHT, TOP, BOTTOM = 42, 8, 20, 38  # beside the axes


@dataclasses.dataclass(frozen=True)
class Line:
    """One setting's curve; ``style`` is the number of the setting."""

    style: int
    band: Band


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What a chart shows."""

    id: str  # unique on the page
    title: str
    lines: Sequence[Line]
    x_label: str
    y_label: str
    shares: bool = False  # both axes from 0 to 1
    reference: Sequence[Sequence[float]] = ()  # x and y of a thin line to compare with
    marks: bool = False  # a dot at every point


def colour_of(style: int) -> int:
    return style % COLOURS


def dash_of(style: int) -> str:
    return DASHES[style % len(DASHES)]


def line_chart(drawing: Drawing, description: str) -> str:
    """The drawing as an SVG element of WIDTH x HEIGHT pixels; ``description`` is for who can't see it."""
    x, y = _axes(drawing)
    name = escape(drawing.id)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-t" aria-describedby="{name}-d">'
        f'<title id="{name}-t">{escape(drawing.title)}</title><desc id="{name}-d">{escape(description)}</desc>',
        _grid(x, y),
        _labels(drawing, x, y),
    ]
    if len(drawing.reference):
        line = _path(_across(x, np.asarray(drawing.reference[0])), _down(y, np.asarray(drawing.reference[1])))
        parts.append(f'<path class="reference" d="{line}"/>')
    parts += [_band(line, x, y) for line in drawing.lines]
    parts += [_line(line, x, y, drawing.marks) for line in drawing.lines]
    return "".join(parts) + "</svg>"


def _axes(drawing: Drawing) -> tuple[Axis, Axis]:
    if drawing.shares:
        return SHARES, SHARES
    across = [line.band.x for line in drawing.lines]
    down = [values for line in drawing.lines for values in (line.band.low, line.band.high)]
    return (
        axis(np.concatenate(across) if across else np.empty(0), 7, whole=True),
        # One run that explodes would press all others flat.
        axis(np.concatenate(down) if down else np.empty(0), may_log=True),
    )


def _grid(x: Axis, y: Axis) -> str:
    lines = [f"M{LEFT} {place:.1f}H{WIDTH - RIGHT}" for place in _down(y, np.asarray(y.ticks))]
    lines += [f"M{place:.1f} {TOP}V{HEIGHT - BOTTOM}" for place in _across(x, np.asarray(x.ticks))]
    return f'<path class="grid" d="{"".join(lines)}"/>'


def _labels(drawing: Drawing, x: Axis, y: Axis) -> str:
    """The numbers at the ticks, and what the axes are."""
    across = [
        f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 14}">{x.text(tick)}</text>'
        for tick, place in zip(x.ticks, _across(x, np.asarray(x.ticks)))
    ]
    down = [
        f'<text x="{LEFT - 5}" y="{place + 4:.1f}">{y.text(tick)}</text>'
        for tick, place in zip(y.ticks, _down(y, np.asarray(y.ticks)))
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (
        f'<g aria-hidden="true"><g class="middle">{"".join(across)}'
        f'<text x="{middle:g}" y="{HEIGHT - 6}">{escape(drawing.x_label)}</text></g>'
        f'<g class="end">{"".join(down)}</g><text x="2" y="10">{escape(drawing.y_label)}</text></g>'
    )


def _band(line: Line, x: Axis, y: Axis) -> str:
    """From the lowest run to the highest; nothing where there is one run."""
    band, colour = line.band, f"var(--c{colour_of(line.style)})"
    if not (band.runs > 1).any():
        return ""
    across, low, high = _across(x, band.x), _down(y, band.low), _down(y, band.high)
    known = np.flatnonzero(np.isfinite(across) & np.isfinite(low) & np.isfinite(high))
    if len(known) == 1:
        (i,) = known
        return f'<path class="line" stroke="{colour}" d="M{across[i]:.1f} {low[i]:.1f}V{high[i]:.1f}"/>'
    stretches = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
    rounds = [
        _path(np.r_[across[s], across[s][::-1]], np.r_[low[s], high[s][::-1]]) + "Z" for s in stretches if len(s) > 1
    ]
    return f'<path class="band" fill="{colour}" d="{"".join(rounds)}"/>'


def _line(line: Line, x: Axis, y: Axis, marks: bool) -> str:
    colour, dash = f"var(--c{colour_of(line.style)})", dash_of(line.style)
    across, down = _across(x, line.band.x), _down(y, line.band.mean)
    known = np.isfinite(across) & np.isfinite(down)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    drawn = f'<path class="line" stroke="{colour}"{dashes} d="{_path(across, down)}"/>' if known.sum() > 1 else ""
    if not marks and known.sum() > 1:
        return drawn
    dots = "".join(f'<circle cx="{a:.1f}" cy="{d:.1f}" r="2.4"/>' for a, d in zip(across[known], down[known]))
    return f'{drawn}<g fill="{colour}">{dots}</g>'


def _path(across: np.ndarray, down: np.ndarray) -> str:
    """A path through the points, broken where one is not finite."""
    commands, begun = [], False
    for a, d in zip(across, down):
        if not (np.isfinite(a) and np.isfinite(d)):
            begun = False
            continue
        commands.append(f"{'L' if begun else 'M'}{a:.1f} {d:.1f}")
        begun = True
    return "".join(commands)


def _across(x: Axis, values: np.ndarray) -> np.ndarray:
    return LEFT + (WIDTH - LEFT - RIGHT) * x.place(values)


def _down(y: Axis, values: np.ndarray) -> np.ndarray:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y.place(values)
