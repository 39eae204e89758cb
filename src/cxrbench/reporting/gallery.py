"""Images as a grid of thumbnails with captions, in a page that asks for no other file."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from cxrbench.base.language import _
from cxrbench.images.thumbnail import SIZE_PX, data_uri, thumbnail
from cxrbench.reporting import template

MOST = 48


@dataclasses.dataclass(frozen=True)
class Item:
    """An image to show; with ``withheld``, the reason why its pixels must not be, its file is never opened."""

    path: str
    title: str
    caption: str
    withheld: str = ""


@dataclasses.dataclass(frozen=True)
class Card:
    """An image as shown: a JPEG as a data: address, or ``instead`` of it some words."""

    title: str
    caption: str
    source: str
    instead: str


@dataclasses.dataclass(frozen=True)
class Gallery:
    """What the template shows."""

    title: str
    note: str
    cards: Sequence[Card]
    more: int  # images that are not shown
    size_px: int = SIZE_PX


def gallery(
    title: str,
    note: str,
    items: Sequence[Item],
    most: int = MOST,
    picture: Callable[[str], np.ndarray | str] = thumbnail,
) -> Gallery:
    """The first ``most`` of ``items``, which come hardest first.

    ``picture`` gives of a path uint8 [height, width], 0 black to 255 white, or words to stand in its place.
    """
    return Gallery(title, note, [_card(item, picture) for item in items[:most]], max(0, len(items) - most))


def fragment(shown: Gallery) -> str:
    """The gallery as an HTML element, to stand inside a page that has the report's style."""
    return template.render("gallery.html.j2", galleries=[shown])


def page(title: str, note: str, galleries: Sequence[Gallery]) -> str:
    """A whole HTML page of galleries."""
    return template.render("gallery-page.html.j2", title=title, note=note, galleries=galleries)


def _card(item: Item, picture: Callable[[str], np.ndarray | str]) -> Card:
    if item.withheld:
        return Card(item.title, item.caption, "", item.withheld)
    found = picture(item.path)
    if isinstance(found, str):
        return Card(item.title, item.caption, "", _("can't be shown: {reason}").format(reason=_(found)))
    return Card(item.title, item.caption, data_uri(found), "")
