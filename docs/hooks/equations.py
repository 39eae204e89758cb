"""Equations as MathML, which browsers show without a script: a fence ```math for a line of its own, $`...`$ in text.

Both are also what GitHub reads. Code samples that show these signs themselves do not occur in these pages.
"""

import re
from typing import Any

from latex2mathml.converter import convert

BLOCK = re.compile(r"^```math\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"\$`([^`]+)`\$")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Puts MathML in the place of LaTeX."""
    markdown = BLOCK.sub(lambda found: f'<div class="equation">{_mathml(found[1], "block")}</div>\n', markdown)
    return INLINE.sub(lambda found: f"<span>{_mathml(found[1], 'inline')}</span>", markdown)


def _mathml(latex: str, display: str) -> str:
    return convert(" ".join(latex.split()), display=display)
