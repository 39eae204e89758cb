"""The language of a report: English, as it stands in the code, or another by its catalogue languages/LANGUAGE.po.

A sentence is marked where it stands, as _("Of {count} claims ...").format(count=...), or N_("...") where it is a
constant that is shown later. A catalogue has gettext's form, so that translators can use their tools.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LANGUAGES = ("en", "ko")
CATALOGUES = Path(__file__).parent / "languages"
NAMES = ("cohort", "protocol")  # placeholders of what params.yaml names: a cohort 'pneumonia' is no word of a sentence

_spoken: tuple[str, Mapping[str, str]] = ("en", {})


def _(text: str) -> str:
    """``text`` in the language that is spoken; as it is where the catalogue lacks it."""
    return _spoken[1].get(text, text)


def N_(text: str) -> str:
    """``text`` as it is: marks what ``_`` translates later."""
    return text


def retold(text: str, forms: Sequence[str]) -> str:
    """``text`` in the language that is spoken, where an earlier stage wrote it in English by one of ``forms``.

    A form is a text with placeholders, as 'no image of {cohort}'; what stands for them is translated too, but for the
    NAMES. A text of another form stays as it is.
    """
    for form in forms:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(form))
        if found := re.fullmatch(pattern, text):
            parts = found.groupdict().items()
            return _(form).format(**{part: value if part in NAMES else _(value) for part, value in parts})
    return _(text)


def spoken() -> str:
    """The language that is spoken, one of LANGUAGES."""
    return _spoken[0]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything that is said inside is in ``language``."""
    global _spoken
    before = _spoken
    _spoken = (language, catalogue(language))
    try:
        yield
    finally:
        _spoken = before


def catalogue(language: str) -> dict[str, str]:
    """English text -> text in ``language``; empty for English."""
    if language == "en":
        return {}
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language)
    return {str(message.id): str(message.string) for message in messages if message.id and message.string}
