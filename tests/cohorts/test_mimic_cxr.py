"""The reader of MIMIC-CXR-JPG's layout."""

import gzip

import pytest

from cxrbench.cohorts import mimic_cxr
from cxrbench.errors import CxrbenchError

METADATA = """dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition
d1,10000001,50000001,CHEST,PA
d2,10000001,50000001,CHEST,LATERAL
d3,10000002,50000002,CHEST,LL
d4,10000002,50000003,CHEST,
d5,12000003,50000004,CHEST,AP
"""
CHEXPERT = """subject_id,study_id,Atelectasis,No Finding,Pneumonia
10000001,50000001,,,1.0
10000002,50000002,,1.0,
10000002,50000003,,,-1.0
"""
SPLIT = "dicom_id,study_id,subject_id,split\nd1,1,1,train\nd2,1,1,validate\nd3,1,1,test\n"


def write(root, name, text):
    path = root / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_labels_views_parts_and_paths_come_from_the_tables(tmp_path, ending):
    for name, text in (("metadata", METADATA), ("chexpert", CHEXPERT), ("split", SPLIT)):
        write(tmp_path, f"mimic-cxr-2.0.0-{name}.{ending}", text)
    found = mimic_cxr.read(tmp_path)
    assert [(one.image_id, one.label, one.view_position, one.view, one.source_part) for one in found] == [
        ("d1", "pneumonia", "PA", "frontal", "train"),
        ("d2", "pneumonia", "LATERAL", "lateral", "validation"),
        ("d3", "normal", "LL", "lateral", "test"),
        ("d4", "", "", "", ""),  # -1.0: uncertain
        ("d5", "", "AP", "frontal", ""),  # no row of findings
    ]
    assert found[4].path == tmp_path / "files/p12/p12000003/s50000004/d5.jpg"
    assert (found[4].patient_id, found[4].study_id) == ("12000003", "50000004")


def test_the_split_table_may_be_absent(tmp_path):
    write(tmp_path, "mimic-cxr-2.1.0-metadata.csv", METADATA)
    write(tmp_path, "mimic-cxr-2.0.0-chexpert.csv.gz", CHEXPERT)
    assert {one.source_part for one in mimic_cxr.read(tmp_path)} == {""}


def test_a_wrong_root_and_damaged_tables_are_one_sentence_each(tmp_path):
    with pytest.raises(CxrbenchError, match="does not exist"):
        mimic_cxr.read(tmp_path / "nowhere")
    with pytest.raises(CxrbenchError, match=r"holds no mimic-cxr-2\*-metadata\.csv"):
        mimic_cxr.read(tmp_path)
    write(tmp_path, "mimic-cxr-2.0.0-metadata.csv", METADATA)
    with pytest.raises(CxrbenchError, match=r"holds no mimic-cxr-2\*-chexpert\.csv"):
        mimic_cxr.read(tmp_path)
    write(tmp_path, "mimic-cxr-2.0.0-chexpert.csv", "subject_id,study_id,Pneumonia\n1,1,1.0\n")
    with pytest.raises(CxrbenchError, match="lacks No Finding"):
        mimic_cxr.read(tmp_path)
    write(tmp_path, "mimic-cxr-2.0.0-chexpert.csv", CHEXPERT)
    write(tmp_path, "mimic-cxr-2.0.0-split.csv", "dicom_id,split\nd1,later\n")
    with pytest.raises(CxrbenchError, match="has split 'later'"):
        mimic_cxr.read(tmp_path)
    whole = gzip.compress(METADATA.encode() * 50)
    for damaged in (whole[: len(whole) // 2], b"\x1f\x8b" + b"\0" * 40, b"no gzip"):
        (tmp_path / "mimic-cxr-2.0.0-metadata.csv.gz").write_bytes(damaged)
        with pytest.raises(CxrbenchError, match="cannot be read"):
            mimic_cxr.read(tmp_path)
