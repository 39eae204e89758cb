"""Patients whom nothing but the names of their files or folders tells, as in P0012_01.jpg or P0012/01.jpg."""

import re
from collections import Counter
from collections.abc import Sequence
from posixpath import splitext

PATIENT = "{patient}"
SEPARATORS = ("_", "-", " ", ".")


def pattern(form: str) -> re.Pattern[str]:
    """The expression of ``form``, the end of a path without its ending: {patient} once, * for what else may vary.

    Both stay within one name, and are as short as the form allows, the one to the left first.
    """
    before, after = ("[^/]*?".join(map(re.escape, side.split("*"))) for side in form.split(PATIENT))
    return re.compile(f"{before}([^/]+?){after}", re.IGNORECASE)


def patients(form: str | None, paths: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The patient of each file, '' where its path has another form, and a sentence on those files.

    ``paths`` have '/' between folders. As many of the last names of a path count as ``form`` has.
    """
    if form is None:
        return [""] * len(paths), ()
    names, expression = form.count("/") + 1, pattern(form)
    found = [expression.fullmatch(_end(path, names)) for path in paths]
    others = [path for path, match in zip(paths, found) if match is None]
    note = f"{len(others):,} of {len(paths):,} file names do not have the form '{form}'"
    notes = (f"{note}, such as {others[0]}; mend file_names, or leave these without a patient",) if others else ()
    return [match[1] if match else "" for match in found], notes


def likely_form(paths: Sequence[str]) -> tuple[str, tuple[str, str]] | None:
    """A form that may tell patients, with two files that it takes for one person's.

    Some begin alike, or lie in one folder; most do not; and what they share holds a digit.
    """
    forms = [(f"{PATIENT}{separator}*", separator) for separator in SEPARATORS]
    for form, separator in [(f"{PATIENT}/*/*", "/"), (f"{PATIENT}/*", "/"), *forms]:
        ends = sorted(_end(path, form.count("/") + 1) for path in paths)
        heads = Counter(end.split(separator)[0] for end in ends if end.count(separator) >= form.count(separator))
        alike = [head for head, count in heads.items() if count > 1 and any(map(str.isdigit, head))]
        if alike and sum(heads.values()) > 0.9 * len(ends) and len(heads) > 0.1 * len(ends):
            first, second, *_ = (end for end in ends if end.split(separator)[0] == alike[0])
            return form, (first, second)
    return None


def _end(path: str, names: int) -> str:
    """The last ``names`` names of a path, without the ending."""
    return "/".join(splitext(path)[0].split("/")[-names:])
