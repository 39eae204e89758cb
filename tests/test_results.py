"""Each published result set under results/ gives its own report again, without images and without training."""

import subprocess
import sys
from pathlib import Path

import pytest

from cxrbench import cli

ROOT = Path(__file__).parents[1]
SETS = sorted(index.parent for index in (ROOT / "results").glob("*/pack.json"))


@pytest.mark.slow
@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_its_report_is_made_again_byte_for_byte(folder, tmp_path):
    papers = ROOT / "data" / "published"
    assert cli.main(["report", "--from", str(folder), "--to", str(tmp_path), "--papers", str(papers)]) == 0
    kept, made = (
        {path.relative_to(at): path.read_bytes() for path in at.rglob("*") if path.is_file()}
        for at in (folder / "report", tmp_path)
    )
    assert sorted(made) == sorted(kept)
    differing = [str(name) for name in made if made[name] != kept[name]]
    assert differing == [], "the report's code changed: say 'make results'"


def test_the_page_on_the_results_says_what_the_sets_say():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "results.py"],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert len(done.stdout) > 1000
    assert page.endswith(done.stdout.rstrip() + "\n"), "say 'python benchmarks/results.py' and copy its tables"
    assert all(f"../results/{folder.name}/report/report.html" in page for folder in SETS)
