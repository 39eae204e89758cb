"""Patients whom nothing but the names of their files tells: 'P0012_01.jpg' and 'P0012_02.jpg' are of one person."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

PATIENT = "{patient}"
SEPARATORS = ("_", "-", " ", ".")


def pattern(form: str) -> re.Pattern[str]:
    """The expression of ``form``, a file name without its ending: {patient} once, * for what else may vary.

    Both are as short as the form allows, the one to the left first.
    """
    before, after = (".*?".join(map(re.escape, side.split("*"))) for side in form.split(PATIENT))
    return re.compile(f"{before}(.+?){after}", re.IGNORECASE)


def patients(form: str | None, file_names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The patient of each file, '' where its name has another form, and a sentence on those files."""
    if form is None:
        return [""] * len(file_names), ()
    found = [pattern(form).fullmatch(_stem(name)) for name in file_names]
    others = [name for name, match in zip(file_names, found) if match is None]
    note = f"{len(others):,} of {len(file_names):,} file names do not have the form '{form}'"
    notes = (f"{note}, such as {others[0]}; mend file_names, or leave these without a patient",) if others else ()
    return [match[1] if match else "" for match in found], notes


def likely_form(file_names: Sequence[str]) -> tuple[str, tuple[str, str]] | None:
    """A form that may tell patients, with two names that it takes for one person's: some begin alike, most do not."""
    stems = sorted(map(_stem, file_names))
    for separator in SEPARATORS:
        heads = Counter(stem.split(separator)[0] for stem in stems if separator in stem)
        alike = [head for head, count in heads.items() if count > 1 and any(map(str.isdigit, head))]
        if alike and sum(heads.values()) > 0.9 * len(stems) and len(heads) > 0.1 * len(stems):
            first, second, *_ = (stem for stem in stems if stem.split(separator)[0] == alike[0])
            return f"{PATIENT}{separator}*", (first, second)
    return None


def _stem(name: str) -> str:
    return PurePosixPath(name).stem
