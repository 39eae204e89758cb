"""Pages are written as GitHub reads them: a list or a table may follow a paragraph without a blank line between."""

import re
from typing import Any

FENCE = re.compile(r"\s*```")
LIST, TABLE = re.compile(r"([-*+]|\d+[.)]) "), re.compile(r"\|")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Adds the blank lines."""
    written: list[str] = []
    in_code = False
    for line in markdown.splitlines():
        before = written[-1] if written else ""
        if not in_code and before.strip() and any(_begins(block, before, line) for block in (LIST, TABLE)):
            written.append("")
        in_code ^= bool(FENCE.match(line))
        written.append(line)
    return "\n".join(written) + "\n"


def _begins(block: re.Pattern[str], before: str, line: str) -> bool:
    """Whether ``line`` is the first of such a block; a line that is indented goes on with one."""
    return bool(block.match(line)) and not block.match(before) and not before.startswith(" ")
