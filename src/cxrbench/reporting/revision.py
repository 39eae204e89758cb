"""What a commit or a DVC experiment holds, put into a folder: files of git, and outputs out of DVC's cache."""

from collections.abc import Sequence
from pathlib import Path

from cxrbench.base.errors import CxrbenchError


def put(revision: str, paths: Sequence[str], workspace: Path, to: Path) -> None:
    """Puts files and folders of ``revision`` under the folder ``to``; nothing of the workspace changes.

    ``paths`` are relative to ``workspace``, the folder of dvc.yaml. Raises CxrbenchError where no revision or
    experiment has that name, or where DVC's cache does not hold what it wrote.
    """
    from dvc.api import DVCFileSystem  # takes a second to import
    from dvc.exceptions import DvcException

    try:
        files = DVCFileSystem(repo=str(workspace), rev=revision)
        files.ls("", detail=False)  # DVC looks the revision up when it is first asked for something
    except DvcException as error:
        raise CxrbenchError(
            f"{revision} is no folder, and git and DVC know no commit, branch, tag or experiment of that name"
            f" ({_line(error)}); 'dvc exp show' lists the experiments"
        ) from None
    for path in paths:
        (to / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            files.get(path, str(to / path), recursive=True)
        except Exception as error:  # DVC hands on errors of its libraries, which have no class in common
            raise CxrbenchError(
                f"{revision}: neither git nor DVC's cache holds its {path} ({_line(error)});"
                " check it out, run 'dvc repro' and compare it then"
            ) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
