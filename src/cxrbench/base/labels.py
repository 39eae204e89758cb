"""When two labels are the same one: params.yaml, class folders and tables write them in their own ways."""

import unicodedata


def normal_label(text: str) -> str:
    """A label in lower case, with single spaces and composed letters; macOS takes the letters of file names apart."""
    return unicodedata.normalize("NFC", " ".join(text.split())).lower()
