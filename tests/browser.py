"""A real Chromium for tests: the system's own, nothing is downloaded. A page notes all that goes wrong in it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}


@contextmanager
def chromium() -> Iterator[Any]:
    """Playwright's Browser; the test is skipped where there is no Chromium or no Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)} is on PATH")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any, address: str, allowed: Callable[[str], bool], **context: Any) -> Iterator[tuple[Any, list]]:
    """The page at ``address`` in a context of its own, and what went wrong in it so far, as sentences.

    A request to any other address than those ``allowed`` never leaves and counts as wrong.
    """
    wrong: list[str] = []
    with browser.new_context(**context) as at:
        page = at.new_page()

        def route(one: Any) -> None:
            if allowed(one.request.url):
                one.continue_()
            else:
                wrong.append(f"asked for {one.request.url[:200]}")
                one.abort()

        at.route("**/*", route)
        page.on(
            "console",
            lambda one: wrong.append(f"console: {one.text} ({one.location['url']})") if one.type == "error" else None,
        )
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.goto(address)
        yield page, wrong


def file_alone(path: Path) -> Callable[[str], bool]:
    """Allows the file itself and what it holds."""
    return lambda url: url.split("#")[0] == path.as_uri() or url.startswith("data:")


def broken_images(page: Any) -> list[str]:
    """The images of a page that can't be shown, also those further down that are loaded late."""
    broken: list[str] = page.evaluate(
        """async () => {
            const bad = [];
            for (const image of document.images) {
                image.loading = "eager";
                try { await image.decode(); } catch { bad.push(image.alt || image.src.slice(0, 100)); }
            }
            return bad;
        }"""
    )
    return broken


def becomes(page: Any, expression: str, seconds: float = 10) -> bool:
    """Whether an expression gets true in time. Playwright's own way of waiting is one that a page's policy forbids."""
    for _ in range(round(seconds / 0.05)):
        if page.evaluate(expression):
            return True
        page.wait_for_timeout(50)
    return False


def violations(page: Any) -> str:
    """What axe-core finds against WCAG 2.1 AA; empty where it finds nothing. Each drawing counts as one picture."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context={"exclude": [["svg *"]]}, options=WCAG)
    return found.generate_report() if found.violations_count else ""
