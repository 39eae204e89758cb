"""Where every page's HTML comes from: the templates beside this file, with all text escaped."""

import functools
from pathlib import Path
from typing import Any


def render(name: str, **values: Any) -> str:
    """The template ``name`` filled in; a value it asks for and does not get is an error."""
    return str(_environment().get_template(name).render(**values))


@functools.cache
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
