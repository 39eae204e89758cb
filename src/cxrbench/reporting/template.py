"""Where every page comes from: the templates beside this file, text escaped and {{ _("...") }} translated."""

import functools
from pathlib import Path
from typing import Any

from cxrbench.base.language import _, spoken


def render(name: str, **values: Any) -> str:
    """The template ``name`` filled in; a value it asks for and does not get is an error."""
    return str(_environment().get_template(name).render(**values))


@functools.cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        _, lambda one, many, count: _(one if count == 1 else many), newstyle=True
    )
    environment.globals["spoken"] = spoken
    environment.filters["translated"] = _  # a text that is no constant of a template; escaped as any other value
    return environment
