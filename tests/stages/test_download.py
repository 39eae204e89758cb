"""Stage download, on cohorts of a few files."""

import functools
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table
from cxrbench.cohorts import collect
from cxrbench.cohorts.fetch import physionet
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.phantom import store
from cxrbench.images.decode import load_square
from cxrbench.stages import download
from tests.cohorts.fetch.physionet_files import BASE, place, served
from tests.cohorts.fetch.server import NO_STALL, Server, status

COMMITTED = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
SOURCES = {
    "own": {"source": "directory", "root": "images", "positive": "covid", "negative": "normal"},
    "kids": {"source": "kaggle", "root": "kids", "positive": "pneumonia", "negative": "normal"},
}


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20)).save(path)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace whose params.yaml has the given cohorts and whose folders hold four images and two bad files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CXRBENCH_FETCHED", raising=False)
    for name in ("images/covid/a.png", "images/normal/b.png", "kids/train/NORMAL/IM-1-1.jpeg"):
        picture(tmp_path / name)
    (tmp_path / "images/normal/bad.png").write_bytes(b"")
    (tmp_path / "images/normal/notes.txt").write_text("seen by a reader")

    def write(**cohorts):
        tree = COMMITTED | {
            "kept": "here/../",
            "cohorts": cohorts,
            "studies": {},
            "split": COMMITTED["split"] | {"quotas": {}},
        }
        quotas = COMMITTED["views"]["quotas"]["pneumonia"]
        tree["views"] = COMMITTED["views"] | {"quotas": {next(iter(cohorts)): quotas}}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
        (tmp_path / "dvc.yaml").write_text("")
        return tmp_path

    return write


@pytest.fixture
def in_process(monkeypatch):
    """Decodes here: to start processes takes longer than the few images of a test."""
    monkeypatch.setattr(collect, "ingest", lambda name, listed, workers, advance: ingest(name, listed, 0, advance))


def test_every_file_of_every_cohort_is_in_one_of_the_two_tables(workspace, capsys):
    folder = workspace(**SOURCES)
    download.main()
    images = read_table("data/download/manifest.csv", "manifest")
    rejects = read_table("data/download/rejects.csv", "rejects")
    assert list(zip(images["cohort"], images["image_id"])) == [
        ("own", "covid/a"),
        ("own", "normal/b"),
        ("kids", "train/NORMAL/IM-1-1"),
    ]
    assert list(rejects["reason"]) == ["empty", "not an image"]
    assert images["path"][0] == str(folder / "images/covid/a.png")  # local files stay where they are
    assert "own: 2 images, 2 rejects, 1 empty, 1 not an image\n" in capsys.readouterr().out


def test_a_cohort_without_a_usable_image_stops_the_stage_and_leaves_no_table(workspace):
    folder = workspace(own=SOURCES["own"])
    for name in ("covid/a.png", "normal/b.png"):
        (folder / "images" / name).write_bytes(b"")
    with pytest.raises(CxrbenchError, match=r"no usable image among 4 files, 3 empty, 1 not an .*cohorts\.own\.root"):
        download.main()
    assert not (folder / "data/download/manifest.csv").exists()


PHANTOM = {"source": "phantom", "positive": "pneumonia", "negative": "normal", "scale": 0.002, "size": 32}


def test_a_phantom_is_made_outside_the_stages_outputs_and_read_like_the_real_thing(workspace):
    folder = workspace(lungs=PHANTOM | {"kind": "pneumonia"}, virus=PHANTOM | {"kind": "covid", "scale": 0.01})
    download.main()
    images = read_table("data/download/manifest.csv", "manifest")
    assert set(images["cohort"]) == {"lungs", "virus"}
    lungs = images[images["cohort"] == "lungs"]
    assert lungs["path"].str.fullmatch(r"\.cxrbench/phantoms/\w+/files/p1\d/p\d{8}/s\d{8}/[\da-f-]+\.jpg").all()
    assert {"normal", "pneumonia"} <= set(lungs["label"])
    assert {"normal", "covid"} == set(images["label"][images["cohort"] == "virus"])
    assert read_table("data/download/rejects.csv", "rejects").empty
    assert sorted(path.name for path in (folder / "data/download").iterdir()) == ["manifest.csv", "rejects.csv"]


def test_a_phantom_is_made_once_and_again_where_a_file_is_missing_or_changed(workspace, in_process, monkeypatch):
    folder = workspace(lungs=PHANTOM | {"kind": "pneumonia"})
    made = []
    write = store.write_tree
    monkeypatch.setattr(store, "write_tree", lambda *arguments: made.append(write(*arguments)))
    download.main()
    tables = [(folder / "data/download/manifest.csv").read_bytes()]
    one, other, *_ = read_table("data/download/manifest.csv", "manifest")["path"]
    for damage in (lambda: None, (folder / one).unlink, lambda: (folder / other).write_bytes(b"another")):
        damage()
        download.main()
        tables.append((folder / "data/download/manifest.csv").read_bytes())
    assert len(made) == 3
    assert len(set(tables)) == 1


def test_an_interrupted_phantom_is_made_from_the_start(workspace, in_process, monkeypatch):
    folder = workspace(lungs=PHANTOM | {"kind": "pneumonia"})
    write = store.write_tree

    def interrupted(root, *arguments):
        write(root, *arguments)
        (root / "SHA256SUMS.txt").unlink()
        (root / "left over").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "write_tree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download.main()
    monkeypatch.setattr(store, "write_tree", write)
    download.main()
    assert not list((folder / ".cxrbench").rglob("left over"))


def test_an_experiments_copy_makes_and_reads_the_workspaces_phantom(workspace, in_process, monkeypatch):
    folder = workspace(lungs=PHANTOM | {"kind": "pneumonia"})
    copy = folder / ".dvc/tmp/exps/tmp1"
    copy.mkdir(parents=True)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(name, copy)
    monkeypatch.chdir(copy)
    download.main()
    images = read_table("data/download/manifest.csv", "manifest")
    assert (folder / images["path"][0]).is_file()
    assert not (copy / ".cxrbench").exists()
    assert load_square(images["path"][0], 16, "squash", images["sha256"][0]).shape == (16, 16)


def test_a_stage_that_misses_a_phantom_says_how_to_make_it_again(workspace, in_process):
    folder = workspace(lungs=PHANTOM | {"kind": "pneumonia"})
    download.main()
    images = read_table("data/download/manifest.csv", "manifest")
    shutil.rmtree(folder / ".cxrbench/phantoms")
    with pytest.raises(CxrbenchError, match=r"\.jpg cannot be used: missing .*; make .* 'dvc repro -f download'"):
        load_square(images["path"][0], 16, "squash", images["sha256"][0])


def other_than_tables(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".csv"]


def test_the_summary_says_how_many_files_were_skipped(workspace, in_process, capsys):
    folder = workspace(kids=SOURCES["kids"])
    original = folder / "kids/train/NORMAL/IM-1-1.jpeg"
    copy, fork = folder / "kids/chest_xray/train/NORMAL/IM-1-1.jpeg", folder / "kids/train/NORMAL/._IM-1-1.jpeg"
    copy.parent.mkdir(parents=True)
    shutil.copy(original, copy)
    fork.write_bytes(bytes.fromhex("00051607"))
    download.main()
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "kids: 1 images, 0 rejects; skipped: 1 identical copies, 1 hidden files and files of tools"


def test_a_label_that_no_image_has_is_named_with_the_labels_that_there_are(workspace, in_process, capsys):
    workspace(own=SOURCES["own"] | {"positive": "Viral Pneumonia"})
    download.main()
    said = capsys.readouterr().out
    assert "own: no image has the label 'viral pneumonia' (cohorts.own.positive)" in said
    assert "its labels are covid (1), normal (1)" in said
    assert "cohorts.own.negative" not in said


def test_labels_are_the_same_in_any_case_and_spacing(workspace, in_process, capsys):
    workspace(own=SOURCES["own"] | {"positive": " COVID ", "negative": "Normal"})
    download.main()
    assert "no image has the label" not in capsys.readouterr().out


def test_images_without_a_patient_are_counted_once_a_cohort(workspace, in_process, capsys):
    folder = workspace(own=SOURCES["own"] | {"table": "list.csv"})
    (folder / "images/list.csv").write_text("path,label,PatientID\ncovid/a.png,covid,p1\nnormal/b.png,normal,\n")
    download.main()
    assert "own: 1 of 2 images have no patient key" in capsys.readouterr().out
    (folder / "images/list.csv").write_text("path,label,who\ncovid/a.png,covid,p1\nnormal/b.png,normal,p2\n")
    download.main()
    said = capsys.readouterr().out
    assert "own: no image has a patient key" in said
    assert "1 columns are ignored (who); used are path, label" in said
    (folder / "images/list.csv").write_text("path,label,Patient ID\ncovid/a.png,covid,p1\nnormal/b.png,normal,p2\n")
    download.main()
    assert "patient" not in capsys.readouterr().out


def test_a_cohort_whose_listed_files_are_elsewhere_says_so(workspace, in_process):
    folder = workspace(own=SOURCES["own"] | {"table": "list.csv"})
    (folder / "images/list.csv").write_text("path,label\nelsewhere/a.png,covid\nelsewhere/b.png,normal\n")
    with pytest.raises(CxrbenchError, match=r"2 missing; .*cohorts\.own\.root or the paths in its table"):
        download.main()


def test_a_zip_is_unpacked_outside_the_stages_outputs_once(workspace, in_process):
    folder = workspace(own=SOURCES["own"] | {"root": "images.zip"})
    shutil.make_archive("images", "zip", "images")
    shutil.rmtree(folder / "images")
    tables = []
    for _ in range(2):
        download.main()
        tables.append(read_table("data/download/manifest.csv", "manifest"))
        shutil.rmtree("data/download")  # as DVC does before a run
    assert tables[0].equals(tables[1])
    assert set(tables[0]["image_id"]) == {"covid/a", "normal/b"}
    assert tables[0]["path"].str.startswith(str(folder / ".cxrbench/fetched/")).all()
    assert len(list((folder / ".cxrbench/fetched/unpacked").iterdir())) == 1


def test_no_pixel_of_a_restricted_cohort_is_copied_into_the_outputs(workspace, in_process):
    workspace(own=SOURCES["own"] | {"restricted": True}, kids=SOURCES["kids"] | {"restricted": True})
    download.main()
    assert other_than_tables("data") == []


def test_a_fetch_that_fails_keeps_its_files_and_the_next_run_goes_on(workspace, in_process, monkeypatch, tmp_path):
    mimic = {"source": "mimic_cxr", "fetch": "physionet", "positive": "pneumonia", "negative": "normal"}
    folder = workspace(own=SOURCES["own"], mimic=mimic)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setattr(physionet, "CONNECTIONS", 1)
    picture(tmp_path / "one.png")
    one = (tmp_path / "one.png").read_bytes()
    with Server(served(image=lambda dicom: one)) as server:
        local = functools.partial(physionet.fetch, base_url=server.url(BASE), patience=NO_STALL)
        monkeypatch.setattr(physionet, "fetch", local)
        server.script(f"{BASE}/{place('d4')}", status(404))
        with pytest.raises(CxrbenchError, match="does not exist"):
            download.main()
        assert not (folder / "data/download/manifest.csv").exists()
        shutil.rmtree("data", ignore_errors=True)
        download.main()
        images = [seen.path for seen in server.seen if seen.path.endswith(".jpg")]
    assert Counter(images) == Counter(
        {f"{BASE}/{place(name)}": 1 + (name == "d4") for name in ("d1", "d2", "d3", "d4")}
    )
    rows = read_table("data/download/manifest.csv", "manifest")
    assert sorted(rows["image_id"][rows["cohort"] == "mimic"]) == ["d1", "d2", "d3", "d4"]
    assert other_than_tables("data") == []
