"""MIMIC-CXR-JPG from a server laid out as PhysioNet is."""

import traceback

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.fetch import physionet
from cxrbench.cohorts.sources import mimic_cxr
from tests.cohorts.fetch.physionet_files import BASE, IMAGES, place, served
from tests.cohorts.fetch.server import NO_STALL, Server, cut, status

SECRET = ("a-reader", "s3cret-pass")


@pytest.fixture
def server(monkeypatch, tmp_path):
    """PhysioNet, for one account; the environment holds it."""
    monkeypatch.setenv("PHYSIONET_USERNAME", SECRET[0])
    monkeypatch.setenv("PHYSIONET_PASSWORD", SECRET[1])
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    with Server(served()) as server:
        server.users[BASE] = SECRET
        yield server
    assert server.errors == []


def fetch(server, folder, **options):
    return physionet.fetch(folder, base_url=server.url(BASE), patience=NO_STALL, **options)


def asked(server):
    return {seen.path.removeprefix(f"{BASE}/") for seen in server.seen}


def test_the_whole_set_comes_checked_and_is_read_in_place(server, tmp_path):
    root = fetch(server, tmp_path / "set")
    images = mimic_cxr.read(root).images
    assert {one.image_id: one.path.read_bytes() for one in images} == {name: name.encode() * 2000 for name in IMAGES}
    assert not (root / "wanted.txt").exists()
    before = len(server.seen)
    fetch(server, tmp_path / "set")
    assert len(server.seen) == before  # what is there and fits is not asked for again


def test_only_the_files_of_the_subset_are_asked_for_laterals_of_its_studies_too(server, tmp_path):
    root = fetch(server, tmp_path, per_label=1, seed=0)
    drawn = mimic_cxr.read(root, 1, 0).images
    images = {name for name in asked(server) if name.endswith(".jpg")}
    assert images == {one.path.relative_to(root).as_posix() for one in drawn}
    assert {place("d1"), place("d2")} < images  # the one pneumonia, with its lateral
    assert len(images) == 3


def test_each_request_bears_the_programs_own_name_and_the_account(server, tmp_path):
    fetch(server, tmp_path, per_label=1)
    assert {seen.headers["user-agent"].partition("/")[0] for seen in server.seen} == {"cxrbench"}
    assert all(seen.headers["authorization"].startswith("Basic ") for seen in server.seen)


def test_an_image_that_breaks_off_goes_on_from_there(server, tmp_path):
    server.script(f"{BASE}/{place('d3')}", cut(after=1500))
    root = fetch(server, tmp_path)
    assert (root / place("d3")).read_bytes() == b"d3" * 2000
    assert server.ranges(f"{BASE}/{place('d3')}") == [None, "bytes=1500-"]


def test_a_fetch_that_ended_early_goes_on_with_what_is_missing(server, tmp_path, monkeypatch):
    monkeypatch.setattr(physionet, "CONNECTIONS", 1)  # so that d4 comes last
    server.script(f"{BASE}/{place('d4')}", status(404))
    with pytest.raises(CxrbenchError, match=r"d4\.jpg does not exist"):
        fetch(server, tmp_path)
    assert (tmp_path / place("d1")).is_file()
    first = len(server.seen)
    fetch(server, tmp_path)
    assert [seen.path for seen in server.seen[first:]] == [f"{BASE}/{place('d4')}"]


def test_a_changed_image_is_refused_and_one_damaged_on_the_disk_is_fetched_anew(server, tmp_path):
    server.files[f"{BASE}/{place('d1')}"] = b"other"
    with pytest.raises(CxrbenchError, match=r"d1\.jpg has sha256"):
        fetch(server, tmp_path)
    assert not (tmp_path / place("d1")).exists()
    server.files[f"{BASE}/{place('d1')}"] = b"d1" * 2000
    fetch(server, tmp_path)
    (tmp_path / place("d1")).write_bytes(b"d1" * 1999)  # as another program leaves it that was killed
    fetch(server, tmp_path)
    assert (tmp_path / place("d1")).read_bytes() == b"d1" * 2000


@pytest.mark.parametrize("refusal", ["no account", "wrong password", "agreement not signed"])
def test_a_refusal_says_what_to_set_and_shows_no_credential(server, tmp_path, monkeypatch, capfd, refusal):
    if refusal == "no account":
        monkeypatch.delenv("PHYSIONET_USERNAME")
        monkeypatch.delenv("PHYSIONET_PASSWORD")
    elif refusal == "wrong password":
        monkeypatch.setenv("PHYSIONET_PASSWORD", SECRET[1] + "-old")
    else:
        server.forbidden.add(BASE)
    with pytest.raises(CxrbenchError) as caught:
        fetch(server, tmp_path)
    for words in ("403" if "signed" in refusal else "401", "PHYSIONET_USERNAME and PHYSIONET_PASSWORD", "~/.netrc"):
        assert words in str(caught.value)
    out, err = capfd.readouterr()
    printed = "".join(traceback.format_exception(caught.value)) + out + err
    assert SECRET[1] not in printed
    assert SECRET[0] not in printed
    # What the wget command in the sentence reads:
    assert (tmp_path / "wanted.txt").read_text() == server.url(f"{BASE}/SHA256SUMS.txt\n")


def test_an_account_in_netrc_will_do(server, tmp_path, monkeypatch, capfd):
    monkeypatch.delenv("PHYSIONET_USERNAME")
    monkeypatch.delenv("PHYSIONET_PASSWORD")
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {SECRET[0]} password {SECRET[1]}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert len(mimic_cxr.read(fetch(server, tmp_path / "set")).images) == 4
    assert not any(secret in "".join(capfd.readouterr()) for secret in SECRET)


def test_half_an_account_is_named(server, tmp_path, monkeypatch):
    monkeypatch.delenv("PHYSIONET_PASSWORD")
    with pytest.raises(CxrbenchError, match="PHYSIONET_USERNAME is set and PHYSIONET_PASSWORD is not"):
        fetch(server, tmp_path)


def test_an_image_without_a_checksum_is_not_taken_on_trust(server, tmp_path):
    sums = server.files[f"{BASE}/SHA256SUMS.txt"].decode().splitlines()
    server.files[f"{BASE}/SHA256SUMS.txt"] = "\n".join(line for line in sums if not line.endswith("/d3.jpg")).encode()
    with pytest.raises(
        CxrbenchError, match=r"has no checksum of files/p10/p10000002/s50000002/d3\.jpg \(1 are missing"
    ):
        fetch(server, tmp_path)
