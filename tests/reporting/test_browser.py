"""The report in a real browser: both languages, all widths, light and dark, on paper, with and without its script."""

import dataclasses
from pathlib import Path

import pytest

from cxrbench.base.language import LANGUAGES
from cxrbench.reporting.page import render
from cxrbench.reporting.text_tables import TextTable
from tests.browser import becomes, broken_images, chromium, file_alone, opened, violations
from tests.stages.conftest import make

pytestmark = pytest.mark.slow

WIDTHS = (360, 768, 1440)
LONGEST = {"en": "contradicted", "ko": "미결정"}  # verdict
AUDITED = {("en", "light"): WIDTHS[0], ("ko", "dark"): WIDTHS[-1]}  # each language, colour scheme and layout once
A4_LANDSCAPE_PX = round((297 - 2 * 12) / 25.4 * 96)  # less the margins of @page


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def reports(tmp_path_factory, browser):
    """Language -> the report of the simulated workspace."""
    from cxrbench.config import params as parameters
    from cxrbench.published import papers
    from cxrbench.reporting.context import context_of, rules_of
    from cxrbench.reporting.report import write_report
    from cxrbench.reporting.results import read_results
    from cxrbench.stages import evaluate

    folder = tmp_path_factory.mktemp("browser")
    make(folder, share=0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        evaluate.main()
        params, results = parameters.load(), read_results(Path("data"))
        for language in LANGUAGES:
            context = dataclasses.replace(context_of(params), language=language)
            write_report(folder / language, results, papers.load("data/published"), context, rules_of(params.report))
    return {language: folder / language / "report.html" for language in LANGUAGES}


@pytest.fixture
def see(browser):
    """Opens a file, which may ask for nothing else."""
    return lambda path, **context: opened(browser, path.as_uri(), file_alone(path), **context)


def written(path, *tables):
    """A page with these tables among its data."""
    path.write_text(render("Head", [], [], ["Rules."], [], [], tables), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_sound_at_every_width_in_light_and_dark(see, reports, language, scheme):
    with see(reports[language], color_scheme=scheme) as (page, wrong):
        assert page.locator("html").get_attribute("lang") == language
        assert broken_images(page) == []
        for parts_open in (False, True):
            page.evaluate(f"document.querySelectorAll('details').forEach(one => one.open = {str(parts_open).lower()})")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width
        if (language, scheme) in AUDITED:
            page.set_viewport_size({"width": AUDITED[language, scheme], "height": 900})
            assert violations(page) == ""
        assert wrong == []


def test_what_is_wrong_with_a_page_is_found(see, tmp_path):
    """The checks above can fail."""
    path = tmp_path / "wrong.html"
    path.write_text(
        '<!doctype html><html><head><title>t</title></head><body style="width: 900px"><p style="color: #ccc">Pale</p>'
        '<img src="data:image/png;base64,AAAA"><img src="https://example.org/a.png" alt=""><script>none()</script>'
    )
    with see(path, viewport={"width": 360, "height": 700}) as (page, wrong):
        assert len(broken_images(page)) == 2
        found = violations(page)
        assert all(rule in found for rule in ("color-contrast", "image-alt", "html-has-lang"))
        assert page.evaluate("document.documentElement.scrollWidth") > 360
        assert any("asked for https://example.org" in one for one in wrong)
        assert any("none is not defined" in one for one in wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_smaller_than_5_megabytes(reports, language):
    assert reports[language].stat().st_size < 5_000_000


def test_a_wide_table_scrolls_inside_its_region_on_a_telephone(see, reports):
    with see(reports["en"], viewport={"width": 360, "height": 740}) as (page, _):
        region = page.locator("section[id^=study-] .scroll:has(table.results)").first
        wide, shown = region.evaluate("one => [one.scrollWidth, one.clientWidth]")
        assert wide > shown <= 360
        caption = region.locator(".caption").bounding_box()
        assert caption["x"] + caption["width"] <= 360
        region.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        assert becomes(page, "document.activeElement.scrollLeft > 0")


def test_on_a_telephone_a_claim_is_a_card_that_shows_its_three_answers_at_once(see, reports):
    with see(reports["en"], viewport={"width": 360, "height": 740}) as (page, _):
        wide, shown = page.locator("#claims .scroll").first.evaluate("one => [one.scrollWidth, one.clientWidth]")
        assert wide <= shown
        card = page.locator(".verdicts tbody tr").first
        answers = [cell.bounding_box() for cell in card.locator("td.question").all()]
        assert len({round(box["y"]) for box in answers}) == 1
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in answers)
        heads = card.locator("td").evaluate_all("all => all.map(one => getComputedStyle(one, '::before').content)")
        assert heads[:3] == ['"1. Printed figures"', '"2. Paper’s n"', '"3. Our runs"']
        assert page.get_by_role("rowheader").first.is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_verdict_is_cut_off_on_a_telephone(see, reports, language):
    with see(reports[language], viewport={"width": 360, "height": 740}) as (page, _):
        words = page.locator(".verdicts .word").all()
        assert words
        for word in words:
            word.evaluate("(one, text) => { one.lastChild.textContent = text }", LONGEST[language])
            box, cell = word.bounding_box(), word.locator("xpath=ancestor::td[1]").bounding_box()
            assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 0.5


def test_the_first_screen_shows_the_headline_and_the_three_columns_of_several_claims(see, reports):
    with see(reports["en"], viewport={"width": 1440, "height": 900}) as (page, _):
        assert page.locator("h1").bounding_box()["y"] < 200
        rows = page.locator(".verdicts tbody tr").all()
        on_screen = [row for row in rows if (box := row.bounding_box())["y"] + box["height"] <= 900]
        assert len(on_screen) >= 4
        for head in ("1. Printed figures", "2. Paper’s n", "3. Our runs"):
            box = page.locator(".verdicts thead th", has_text=head).bounding_box()
            assert box["x"] + box["width"] <= 1440
            assert box["y"] + box["height"] <= 450


def test_every_table_has_a_caption_and_every_header_its_scope(see, reports):
    with see(reports["en"]) as (page, _):
        assert page.locator("table").count() > 20
        without_caption = "all => all.filter(one => !one.caption?.textContent.trim()).length"
        assert page.locator("table").evaluate_all(without_caption) == 0
        assert page.locator("th:not([scope])").count() == 0
        assert (
            page.evaluate("[...document.querySelectorAll('tbody tr')].filter(one => !one.querySelector('th')).length")
            == 0
        )


COLUMNS = {
    "Number": ["−1.2\n[−2 to 1]", "+10.5", "–", "2", "−0.5"],
    "Spread": ["96.13 ± 0.21", "100.00 ± 0.00", "", "9.5 ± 3.0", "96.2"],
    "Share": ["1,250 / 1,800", "31 / 44", "–", "2 / 2", "999 / 1"],
    "p": ["0.020", "< 0.001", "1.000", "0.001", "–"],
    "Range": ["2 to 27 %", "12 to 20 %", "0.5 %", "100 %", "3 %"],
    "Text": ["batch_size=4", "batch_size=16", "lr=0.1", "batch_size=8", "lr=0.01"],
}
ASCENDING = {
    "Number": ["−1.2", "−0.5", "2", "+10.5", "–"],
    "Spread": ["9.5 ± 3.0", "96.13 ± 0.21", "96.2", "100.00 ± 0.00", ""],
    "Share": ["2 / 2", "31 / 44", "999 / 1", "1,250 / 1,800", "–"],
    "p": ["< 0.001", "0.001", "0.020", "1.000", "–"],
    "Range": ["0.5 %", "2 to 27 %", "3 %", "12 to 20 %", "100 %"],
    "Text": ["batch_size=4", "batch_size=8", "batch_size=16", "lr=0.01", "lr=0.1"],
}


@pytest.fixture
def table(tmp_path):
    """A page with one table of hard columns; the row header counts the rows."""
    rows = [[f"row {i}", *cells] for i, cells in enumerate(zip(*COLUMNS.values()))]
    return written(tmp_path / "table.html", TextTable("Hard", "Note.", ("Row", *COLUMNS), rows, 1))


def column(page, name):
    """The first lines of a column's cells, in the order in which they stand."""
    place = ["Row", *COLUMNS].index(name)
    texts = page.locator("#data tbody tr").evaluate_all(f"rows => rows.map(row => row.cells[{place}].innerText)")
    return [text.splitlines()[0] if text else "" for text in texts]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_header_sorts_by_what_its_column_holds_then_back_then_as_it_was(see, table, name):
    with see(table) as (page, wrong):
        before = column(page, name)
        head = page.locator("#data thead th").nth(["Row", *COLUMNS].index(name))
        blank = [cell for cell in ASCENDING[name] if cell in ("", "–")]
        filled = [cell for cell in ASCENDING[name] if cell not in ("", "–")]
        head.locator("button").click()
        assert column(page, name) == ASCENDING[name]
        assert head.get_attribute("aria-sort") == "ascending"
        head.locator("button").click()
        assert column(page, name) == [*reversed(filled), *blank]
        assert head.get_attribute("aria-sort") == "descending"
        head.locator("button").click()
        assert column(page, name) == before
        assert head.get_attribute("aria-sort") is None
        assert wrong == []


def test_equal_cells_keep_their_order_both_ways(see, tmp_path):
    rows = [["d", "1"], ["c", "2"], ["b", "1"], ["a", "2"]]
    path = written(tmp_path / "equal.html", TextTable("Equal", "Note.", ("Row", "Number"), rows, 1))
    with see(path) as (page, _):
        for expected in (["d", "b", "c", "a"], ["c", "a", "d", "b"]):
            page.locator("#data thead button").last.click()
            assert page.locator("#data tbody th").all_inner_texts() == expected


def test_a_table_sorts_by_the_keyboard_alone(see, reports):
    with see(reports["en"]) as (page, wrong):
        claims = page.locator(".verdicts tbody tr .claim")
        before = claims.all_inner_texts()
        page.locator(".verdicts thead button").first.focus()
        page.keyboard.press("Enter")
        after = claims.all_inner_texts()
        assert sorted(after) == sorted(before)
        assert after != before
        first_of = [next(i for i, text in enumerate(after) if f"batch size of {n} " in text) for n in (8, 16, 32)]
        assert first_of == sorted(first_of)  # by the number, not by its first digit
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert page.locator(".verdicts th[aria-sort]").inner_text().strip() == "1. Printed figures"
        assert wrong == []


def test_a_difference_sorts_by_its_size_whatever_stands_before_it(see, reports):
    with see(reports["en"]) as (page, _):
        page.locator(".verdicts thead button", has_text="Decisive difference").click()
        shown = page.locator(".verdicts tbody td[data-sort]").evaluate_all("all => all.map(one => +one.dataset.sort)")
        assert shown == sorted(shown)
        assert len(shown) > 5


def test_a_row_under_the_pointer_or_the_focus_lights_up_with_those_of_its_study_or_setting(see, reports):
    with see(reports["en"], viewport={"width": 1440, "height": 900}) as (page, _):
        rows = page.locator('.verdicts tr[data-study="batch-size"]')
        rows.first.hover()
        assert page.locator(".verdicts tr.lit").count() == rows.count() > 2
        assert page.locator("nav a.lit").inner_text() == "batch-size"
        page.locator('.verdicts tr[data-study="learning-rate"] a').first.focus()
        assert set(page.locator(".verdicts tr.lit").evaluate_all("all => all.map(one => one.dataset.study)")) == {
            "learning-rate"
        }
        page.locator("#study-batch-size table.results tbody tr", has_text="batch_size=8").first.hover()
        assert page.locator("#study-batch-size tr.lit").count() == 2  # on validation and on test
        assert page.locator("#study-batch-size li.lit").inner_text().strip() == "batch_size=8"
        assert page.locator(".verdicts tr.lit").count() == 0


def test_without_its_script_the_page_shows_the_same_and_no_button(see, reports):
    with see(reports["en"], java_script_enabled=False) as (page, wrong):
        assert page.locator("button").count() == 0
        assert page.locator(".verdicts tbody tr").count() > 10
        assert "Claim" in page.locator(".verdicts thead").inner_text()
        assert wrong == []


def test_a_link_to_a_closed_part_opens_it(see, reports):
    with see(reports["en"]) as (page, _):
        assert not page.locator("#rules").evaluate("one => one.open")
        page.locator('nav a[href="#rules"]').click()
        assert becomes(page, "document.querySelector('#rules').open")


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_paper_nothing_is_wider_than_the_sheet_and_every_part_is_open(see, reports, language):
    with see(reports[language], viewport={"width": A4_LANDSCAPE_PX, "height": 700}) as (page, wrong):
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
        page.emulate_media(media="print")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details:not([open]):not(.charts details)").count() == 0
        assert page.locator(".charts details").first.is_hidden()  # each chart's numbers, which the files hold too
        widths = page.locator(".verdicts tbody td").evaluate_all("all => all.map(one => one.clientWidth)")
        assert min(widths) > 24  # no column is squeezed to single letters
        beyond = page.evaluate(
            """width => [...document.body.querySelectorAll("*")].filter(one => {
                const box = one.getBoundingClientRect();
                return !one.closest("svg") && box.width > 1 && (box.right > width + 1 || box.left < -1);
            }).map(one => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 60)}`)""",
            A4_LANDSCAPE_PX,
        )
        assert beyond == []
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator("details[open]").count() == 0
        assert wrong == []
