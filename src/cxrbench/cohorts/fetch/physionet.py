"""MIMIC-CXR-JPG from PhysioNet: the tables first, then only the images that the cohort's subset needs.

An account comes from PHYSIONET_USERNAME and PHYSIONET_PASSWORD, else from netrc, and appears in no message. Every file
is checked against PhysioNet's own SHA256SUMS.txt, also one that another program fetched into the same folder.
"""

import os
from collections.abc import Collection, Iterator
from importlib.metadata import version
from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch.http import PATIENT, Job, Patience, fetch_many
from cxrbench.base.progress import progress
from cxrbench.cohorts.sources import mimic_cxr

BASE_URL = "https://physionet.org/files/mimic-cxr-jpg/2.1.0"
SUMS = "SHA256SUMS.txt"
TABLES = tuple(f"mimic-cxr-2.0.0-{name}.csv.gz" for name in ("metadata", "chexpert", "split"))  # named so in 2.1.0 too
CONNECTIONS = 4
WANTED = "wanted.txt"


def fetch(
    folder: Path,
    per_label: int | None = None,
    seed: int = 0,
    *,
    base_url: str = BASE_URL,
    patience: Patience = PATIENT,
) -> Path:
    """``folder``, with the tables and every image that ``mimic_cxr.read`` finds there; goes on after a kill."""
    _get("list of checksums", folder, [SUMS], base_url, {}, patience)
    _get("tables", folder, TABLES, base_url, _checksums(folder / SUMS, TABLES), patience)
    listing = mimic_cxr.read(folder, per_label, seed)
    images = [image.path.relative_to(folder).as_posix() for image in listing.images]
    _get("images", folder, images, base_url, _checksums(folder / SUMS, images), patience)
    return folder


def _get(
    what: str, folder: Path, names: Collection[str], base_url: str, checksums: dict[str, str], patience: Patience
) -> None:
    """Fetches ``names`` below ``base_url`` to the same names below ``folder``; leaves the addresses where it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / WANTED
    wanted.write_text("".join(f"{base_url}/{name}\n" for name in names if not (folder / name).is_file()))
    jobs = (Job(f"{base_url}/{name}", folder / name, sha256=checksums.get(name)) for name in names)
    with progress(f"fetch the {what} of MIMIC-CXR-JPG", len(names)) as advance:
        fetch_many(
            jobs,
            connections=CONNECTIONS,
            auth=_account(),
            # By its published source, PhysioNet wants each program to go by its own name, and knows wget's.
            headers={"User-Agent": f"cxrbench/{version('cxrbench')}"},
            needs=_needs(folder),
            patience=patience,
            advance=advance,
        )
    wanted.unlink()


def _needs(folder: Path) -> str:
    return (
        "set PHYSIONET_USERNAME and PHYSIONET_PASSWORD, or a line of ~/.netrc, to an account that has signed the data"
        " use agreement of mimic-cxr-jpg; if it has, PhysioNet may not know this program: run 'wget --user NAME"
        f" --ask-password -c -x -nH --cut-dirs=3 -P {folder} -i {folder / WANTED}', then this again"
    )


def _account() -> tuple[str, str] | None:
    """User name and password from the environment; None where netrc is to be looked at, as requests does."""
    name, password = (os.environ.get(f"PHYSIONET_{what}", "") for what in ("USERNAME", "PASSWORD"))
    if bool(name) != bool(password):
        there, lacks = ("USERNAME", "PASSWORD") if name else ("PASSWORD", "USERNAME")
        raise CxrbenchError(f"PHYSIONET_{there} is set and PHYSIONET_{lacks} is not; set both or neither")
    return (name, password) if name else None


def _checksums(sums: Path, names: Collection[str]) -> dict[str, str]:
    """The SHA-256 of each name, as hexadecimal digits."""
    wanted = set(names)
    checksums = {name: digits for digits, name in _lines(sums) if name in wanted}
    if lacking := sorted(wanted - set(checksums)):
        raise CxrbenchError(
            f"{sums} has no checksum of {lacking[0]} ({len(lacking):,} are missing); delete it and run again"
        )
    return checksums


def _lines(sums: Path) -> Iterator[tuple[str, str]]:
    with open(sums, encoding="utf-8", errors="replace") as file:
        for line in file:
            digits, _, name = line.strip().partition(" ")
            yield digits, name.strip().removeprefix("./")
