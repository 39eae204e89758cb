"""The archives that anybody may fetch: one function each, from the publisher's own address, unpacked and kept."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch.http import PATIENT, Patience, fetch_file
from cxrbench.base.progress import progress
from cxrbench.cohorts.fetch.archive import unpack
from cxrbench.cohorts.sources import medmnist

# Kermany, Zhang and Goldbaum 2018, doi:10.17632/rscbjbr9sj.2. Version 3 has the same radiographs in 8.4 GB with OCT.
MENDELEY_URL = "https://data.mendeley.com/public-files/datasets/rscbjbr9sj/files/f12eaf6d-6023-432f-acc9-80c9d7393433/file_downloaded"
MENDELEY_BYTES = 1_235_512_464
MENDELEY_SHA256 = "13efc055629733dbab07877f8b3c9f81097840dbcdaa326a8542322c2281ce36"

# Cohen et al. 2020, a commit whose table goes up to patient 481. GitHub packs a commit anew for each request and
# promises the same files, not the same bytes, so no checksum of the archive would last; git writes the commit into the
# archive's comment (git-archive(1)).
GITHUB_COMMIT = "6a4242344473ccb5ed0d2148d8c7bfb1691e4ed8"
GITHUB_URL = "https://github.com/ieee8023/covid-chestxray-dataset/archive"

# MedMNIST+ 3.0, doi:10.5281/zenodo.10519652; the checksums are those of the medmnist package.
ZENODO_URL = "https://zenodo.org/records/10519652/files"
ZENODO_MD5 = {
    28: "28209eda62fecd6e6a2d98b1501bb15f",
    64: "8f4eceb4ccffa70c672198ea285246c6",
    128: "05b46931834c231683c68f40c47b2971",
    224: "d6a3c71de1b945ea11211b03746c1fe1",
}
MEDMNIST_IMAGES = 5856


def mendeley(
    folder: Path,
    *,
    url: str = MENDELEY_URL,
    size_bytes: int = MENDELEY_BYTES,
    sha256: str = MENDELEY_SHA256,
    patience: Patience = PATIENT,
) -> Path:
    """Kermany's radiographs as their authors published them: {train,test}/{NORMAL,PNEUMONIA}."""

    def fetch(target: Path) -> None:
        with progress(f"fetch {target.name}, bytes", size_bytes) as advance:
            fetch_file(url, target, size_bytes=size_bytes, sha256=sha256, patience=patience, advance=advance)

    return _unpacked(folder / "ChestXRay2017.zip", folder / "ChestXRay2017", fetch)


def github(
    folder: Path, *, base_url: str = GITHUB_URL, commit: str = GITHUB_COMMIT, patience: Patience = PATIENT
) -> Path:
    """The COVID-19 image data collection as it was at ``commit``."""

    def fetch(target: Path) -> None:
        with progress(f"fetch {target.name}", 1) as advance:
            fetch_file(f"{base_url}/{commit}.zip", target, patience=patience)
            advance(1, "")
        _check_commit(target, commit)

    name = f"covid-chestxray-dataset-{commit[:7]}"
    return _unpacked(folder / f"{name}.zip", folder / name, fetch)


def zenodo(
    folder: Path,
    size_px: int,
    *,
    base_url: str = ZENODO_URL,
    md5: str | None = None,
    patience: Patience = PATIENT,
) -> Path:
    """PneumoniaMNIST of one size, written out as PNG files; ``md5`` replaces the one that is known."""
    name = "pneumoniamnist" if size_px == 28 else f"pneumoniamnist_{size_px}"
    tree, arrays = folder / name, folder / f"{name}.npz"
    if not tree.is_dir():
        with progress(f"fetch {arrays.name}", 1) as advance:
            fetch_file(f"{base_url}/{arrays.name}", arrays, md5=md5 or ZENODO_MD5[size_px], patience=patience)
            advance(1, "")
        with progress(f"write {name} as PNG", MEDMNIST_IMAGES) as advance:
            medmnist.write_tree(arrays, tree, size_px, advance)
    return tree


def _unpacked(archive: Path, folder: Path, fetch: Callable[[Path], None]) -> Path:
    """``folder`` as it was unpacked once; the archive goes when it has."""
    if not folder.is_dir():
        fetch(archive)
        unpack(archive, folder)
        archive.unlink()
    return folder


def _check_commit(archive: Path, commit: str) -> None:
    """Removes and refuses an archive of another commit; what is no zip is for ``unpack`` to refuse."""
    if not zipfile.is_zipfile(archive):
        return
    with zipfile.ZipFile(archive) as packed:
        comment = packed.comment.decode("ascii", "replace")
    if comment != commit:
        archive.unlink()
        raise CxrbenchError(
            f"{archive.name} is an archive of commit {comment[:40] or 'none'!r}, not of {commit!r}; it was removed, run"
            " again or set the cohort's root to a copy of the collection"
        )
