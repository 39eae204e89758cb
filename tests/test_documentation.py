"""The documentation builds without a warning, its links lead somewhere, and what it says to type works."""

import argparse
import ast
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from dvc.utils.hydra import compose_and_dump
from ruamel.yaml import YAML

from cxrbench import cli
from cxrbench.base.tables import TABLES
from cxrbench.config import new_study, params
from cxrbench.config.checked import check
from cxrbench.config.cohort import Cohort
from tests.browser import becomes, chromium, opened, violations

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SAMPLES = [*PAGES, ROOT / "README.md"]
OWN_DATA = ROOT / "docs" / "howto" / "own-data.md"
MINE = {
    "source": "directory",
    "root": "/data/my images",
    "positive": "tuberculosis",
    "negative": "healthy",
    "view": "frontal",
}  # what 'cxrbench new' finds in the folder of that page
PYTHON = ROOT / "docs" / "reference" / "api" / "index.md"
ADDRESSES = {"href", "src", "srcset", "data", "poster", "action"}


class Document(HTMLParser):
    """The anchors of a page and all that it refers to."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links = {""}, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        self.links += [(tag, value) for key, value in attrs if key in ADDRESSES and value]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The site, and what MkDocs said; made once."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return site, done


@pytest.fixture(scope="module")
def site(build):
    return build[0]


@pytest.fixture(scope="module")
def documents(site):
    return {path: Document(path) for path in sorted(site.rglob("*.html"))}


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Composes params.yaml from conf/ and the page's own data set: overrides -> parameters."""
    for name in ("CXRBENCH_DATA", "CXRBENCH_COVID"):
        monkeypatch.setenv(name, "images")
    shutil.copytree(ROOT / "conf", tmp_path / "conf")

    def compose(overrides, mine=""):
        new_study.write(tmp_path, "mine", MINE, replace=True)
        if mine:
            (tmp_path / "conf/data/mine.yaml").write_text(mine, encoding="utf-8")
        compose_and_dump(tmp_path / "params.yaml", str(tmp_path / "conf"), None, "config", None, overrides)
        return params.load(tmp_path / "params.yaml")

    return compose


def own_data_sets():
    return [text for text in fenced(OWN_DATA, "yaml") if text.startswith("# @package") and "\ncohorts:" in text]


def fenced(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def typed(program):
    """(page, words) of each command of this program in the pages' samples, without comments and what follows '&&'."""
    found = []
    for page in SAMPLES:
        text = re.sub(r"^!!!.*\n(    .*\n)*", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        lines = re.findall(r"^ {4,}(.+)$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", text)
        for line in lines:
            with contextlib.suppress(ValueError):  # a quote that stays open is prose
                words = shlex.split(line, comments=True)
                words = words[: words.index("&&")] if "&&" in words else words
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                if words[:1] == [program]:
                    found.append((page.name, words[1:]))
    return found


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(build):
    _, done = build
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


@pytest.mark.slow
def test_every_link_and_anchor_within_the_site_leads_somewhere(site, documents):
    broken = []
    for path, document in documents.items():
        for _, link in document.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            # 404.html is shown in any folder's place, so its links start at the site's root.
            start = site if link.startswith("/") else path.parent
            target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            known = documents.get(target)
            if not target.is_file() or (known and unquote(parts.fragment) not in known.anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert len(documents) > 25
    assert broken == []


@pytest.mark.slow
def test_no_page_fetches_anything_from_elsewhere(documents):
    fetching = {"script", "link", "img", "iframe", "source", "object", "video", "audio", "form"}
    asked = {link for one in documents.values() for tag, link in one.links if tag in fetching}
    assert {link for link in asked if link.startswith(("http:", "https:", "//"))} == set()


@pytest.mark.slow
def test_the_site_is_read_and_searched_from_a_folder_without_a_server(site):
    with chromium() as browser:
        for name in ("index.html", "explanation/statistics.html", "reference/api/evaluation.html"):
            for width in (1440, 360):
                view = {"viewport": {"width": width, "height": 900}}
                with opened(browser, (site / name).as_uri(), within(site), **view) as (page, wrong):
                    assert page.evaluate("document.documentElement.scrollWidth") <= width
                    page.click(".md-search__input" if width > 1000 else "[for=__search].md-header__button")
                    page.keyboard.type("shortcuts")
                    assert becomes(page, "document.querySelectorAll('.md-search-result__item').length > 1")
                    assert wrong == []


def within(site):
    """Allows the files of the site."""
    return lambda url: url.startswith((site.as_uri() + "/", "data:"))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_meet_the_accessibility_rules(site, scheme):
    with chromium() as browser:
        for name in ("howto/own-data.html", "explanation/phantom.html", "results.html", "reference/api/config.html"):
            with opened(browser, (site / name).as_uri(), within(site), color_scheme=scheme) as (page, _):
                assert becomes(page, "document.readyState === 'complete'")
                assert violations(page) == "", name


@pytest.mark.slow
def test_the_reference_has_every_command_and_every_option(site):
    page = re.sub("<[^>]+>", "", (site / "reference/commands.html").read_text(encoding="utf-8"))
    (commands,) = (one for one in cli.parser()._actions if isinstance(one, argparse._SubParsersAction))
    missing = defaultdict(list)
    for name, command in commands.choices.items():
        section = page[page.rindex(f"cxrbench {name}&para;") if f"cxrbench {name}&para;" in page else 0 :]
        for action in command._actions:
            names = [*action.option_strings, *([] if action.option_strings else [action.metavar])]
            hidden = action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction)
            missing[name] += [word for word in names if not hidden and word not in section]
    assert len(missing) == len(cli.COMMANDS)
    assert not any(missing.values()), missing


@pytest.mark.slow
def test_the_reference_says_what_every_column_of_every_table_is(site):
    page = (site / "reference/tables.html").read_text(encoding="utf-8")
    sections = dict(re.findall(r'<h3 id="([a-z_]+)">(.*?)</table>', page, re.DOTALL))
    assert set(sections) == set(TABLES)
    for table, columns in TABLES.items():
        rows = re.findall(r"<td><code>(.*?)</code></td>\s*<td>(.*?)</td>\s*<td>(.*?)</td>", sections[table], re.DOTALL)
        assert [row[0] for row in rows] == list(columns)
        assert [row[0] for row in rows if not row[2].strip()] == []


def test_every_table_has_its_file_on_the_page():
    page = (ROOT / "docs/reference/tables.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(#(\w+)\)", page)) == set(TABLES)


def test_every_command_of_ours_that_a_page_shows_is_one():
    found = [(page, words) for page, words in typed("cxrbench") if words]
    assert len(found) > 30
    assert [one for one in found if not is_command(one[1])] == []


def is_command(words):
    """Whether the command line takes these words; the name of a command alone is a mention of it."""
    try:
        cli.parser().parse_args(words if len(words) > 1 else [*words, "--help"])
    except SystemExit as end:
        return not end.code
    return True


def test_every_parameter_that_a_page_sets_is_one(configured):
    found = {
        tuple(words[i + 1] for i, word in enumerate(words) if word == "-S"): page
        for page, words in typed("dvc")
        if words[:2] == ["exp", "run"] and "-S" in words and "your-study" not in str(page)
    }  # tests/test_your_study.py runs that page
    assert len(found) > 20
    for overrides, page in found.items():
        if any("key=" in one for one in overrides):
            continue  # how to quote a path
        values = [re.sub(r"^(lr)=([\d.]+),.*", r"\1=\2", one).replace("PATH", "images") for one in overrides]
        fetched = any("fetch=" in one for one in values)
        assert configured([*values, *(["cohorts.pneumonia.root=null"] if fetched else [])]), (page, overrides)


def test_the_page_on_ones_own_images_shows_what_the_command_writes(configured, tmp_path):
    configured(["data=mine", "grid=mine"])
    assert own_data_sets()[0] == (tmp_path / "conf/data/mine.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("place", "grid"), [(0, "mine"), (1, "published")])
def test_the_data_sets_of_the_page_on_ones_own_images_are_read(configured, place, grid):
    mine = own_data_sets()[place]
    loaded = configured(["data=mine", f"grid={grid}"], mine)
    (name,) = (name for name, one in loaded.cohorts.items() if one.source == "directory")
    assert name in {run.setting.cohort for run in loaded.planned_runs()}
    assert len(own_data_sets()) == 2


def test_the_cohorts_of_the_page_on_ones_own_images_are_right():
    cohorts = [YAML(typ="safe").load(text) for text in fenced(OWN_DATA, "yaml") if not text.startswith("# @package")]
    assert [check(Cohort, one).source for named in cohorts for one in named.values()] == ["directory"] * len(cohorts)
    assert len(cohorts) > 4


def test_every_target_of_make_that_a_page_names_is_one():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {words[0] for _, words in typed("make") if words and "=" not in words[0]}
    assert {"repro", "ui", "docs"} <= named <= targets


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1])
def test_the_samples_of_python_run(place):
    code = fenced(PYTHON, "python")[place]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert len(fenced(PYTHON, "python")) == 2


def test_the_page_on_torture_has_a_row_of_every_trial_and_of_no_other():
    """A row begins with the trial's name in words, as `make torture` prints it."""
    page = (ROOT / "docs" / "explanation" / "torture.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| ([^:|]+)[:|].*", page.partition("| Tried |")[2], re.MULTILINE)) - {"---"}
    assert {row.strip() for row in rows if not row.startswith("---")} == set(_trials())


def _trials():
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        for one in ast.parse(text).body if "tried" in text else ():
            if isinstance(one, ast.FunctionDef) and "tried" in [given.arg for given in one.args.args]:
                yield one.name.removeprefix("test_").replace("_", " ")
