"""The reports of the result sets as files of the site, so that pages can link to them."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

REPORTS = "results/*/report/report.html"
ABOVE = "](../results/"  # a link as it works in the repository, where docs/ and results/ are neighbours


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds each report."""
    root = Path(config.config_file_path).parent
    for path in sorted(root.glob(REPORTS)):
        name = path.relative_to(root).as_posix()
        files.append(File(name, str(root), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """In the site the reports lie below the pages."""
    return markdown.replace(ABOVE, "](results/")
