"""docs/settings.md says what the code accepts."""

from pathlib import Path

from cxrbench.config import docs
from cxrbench.config.params import Params
from cxrbench.config.setting import SETTING_KEYS

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_committed_page_is_made_from_the_declarations():
    words = "run python -m cxrbench.config.docs > docs/settings.md"
    assert PAGE.read_text(encoding="utf-8") == docs.settings_page(), words


def test_every_setting_has_its_line_with_default_allowed_values_and_meaning():
    rows = [line.strip("| ").split(" | ") for line in docs.settings_page().splitlines() if line.startswith("| `")]
    assert [row[0].strip("`") for row in rows][: len(SETTING_KEYS)] == list(SETTING_KEYS)
    assert all(len(row) == 4 and row[2] and row[3] for row in rows)
    assert ["`lr`", "`0.001`", "a number above 0 and at most 100", "learning rate"] in rows
    assert ["`scale`", "`1.0`"] in [row[:2] for row in rows]


def test_every_key_of_params_yaml_stands_on_the_page():
    page = docs.settings_page()
    assert all(f"`{key}`" in page or f"## {key}" in page for key in Params.model_fields)
