"""docs/settings.md from the declarations of params.yaml: ``python -m cxrbench.config.docs > docs/settings.md``."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cxrbench.config.checked import Checked, allowed, node_at
from cxrbench.config.cohort import Cohort, Of
from cxrbench.config.params import Params, Report, Split, Views
from cxrbench.config.setting import FILE_KEYS, SETTING_KEYS, Setting
from cxrbench.config.studies import Study

HEAD = """\
# What params.yaml may say

Made from the code by `python -m cxrbench.config.docs > docs/settings.md`; a test holds that this file is up to date.
`dvc exp run` writes params.yaml anew from `conf/` and its `-S`; `dvc repro` reads it as it stands. An unknown key, or
a value that is not allowed, ends the run with a sentence that names it. Where no default stands the key is needed.
"""
SECTIONS: dict[str, tuple[type[Checked], str]] = {
    "The base setting, at the top level": (
        Setting, "Any of these can be a study's own, or one of its axes. A run's fingerprint covers each; of a file"
        " that {files} names it takes the content.",
    ),
    "The run, at the top level": (Params, ""),
    "cohorts.NAME": (Cohort, "NAME can be the name of a folder, and is not `views`."),
    "views": (Views, "The network that tells frontal from lateral images where their metadata do not."),
    "split": (Split, "How many images of each label each part gets."),
    "studies.NAME": (Study, "Any key of the base setting besides. NAME is the name of a file in reports/tables/."),
    "report": (Report, "The numbers behind the verdicts."),
}  # fmt: skip


def settings_page() -> str:
    """The whole page, Markdown."""
    parts = [HEAD]
    for title, (model, about) in SECTIONS.items():
        files = ", ".join(f"`{key}`" for key in FILE_KEYS)
        rows = "".join(f"| {' | '.join(row)} |\n" for row in _rows(model))
        about = about.format(files=files) + "\n\n" if about else ""
        parts.append(f"## {title}\n\n{about}| key | default | allowed | meaning |\n|---|---|---|---|\n{rows}")
    return "\n".join(parts)


def _rows(model: type[Checked]) -> Iterator[tuple[str, ...]]:
    schema = model.model_json_schema()
    elsewhere = {Params: (*SETTING_KEYS, "views", "split", "report"), Study: ("overrides",)}.get(model, ())
    for name, field in model.model_fields.items():
        if name in elsewhere:
            continue
        mark = next((mark for mark in field.metadata if isinstance(mark, Of)), None)
        only = f"; {', '.join(mark.sources)} only" if mark and mark.sources else ""
        default = "" if field.is_required() else f"`{_yaml(field.get_default(call_default_factory=True))}`"
        yield f"`{name}`", default, _allowed(node_at(schema, [name])), (field.description or "") + only


def _allowed(node: Mapping[str, Any]) -> str:
    return allowed({key: value for key, value in node.items() if key != "description"})


def _yaml(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


if __name__ == "__main__":
    print(settings_page(), end="")
