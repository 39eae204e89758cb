"""The reader of MIMIC-CXR-JPG's layout."""

import gzip
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.sources import mimic_cxr

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
    images = mimic_cxr.read(tmp_path).images
    assert [(one.image_id, one.label, one.view_position, one.view, one.source_part) for one in images] == [
        ("d1", "pneumonia", "PA", "frontal", "train"),
        ("d2", "pneumonia", "LATERAL", "lateral", "validation"),
        ("d3", "normal", "LL", "lateral", "test"),
        ("d4", "", "", "", ""),  # -1.0: uncertain
        ("d5", "", "AP", "frontal", ""),  # no row of findings
    ]
    assert images[4].path == tmp_path / "files/p12/p12000003/s50000004/d5.jpg"
    assert (images[4].patient_id, images[4].study_id) == ("12000003", "50000004")


def test_the_split_table_may_be_absent(tmp_path):
    write(tmp_path, "mimic-cxr-2.1.0-metadata.csv", METADATA)
    write(tmp_path, "mimic-cxr-2.0.0-chexpert.csv.gz", CHEXPERT)
    assert {one.source_part for one in mimic_cxr.read(tmp_path).images} == {""}


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


def test_a_key_that_would_leave_the_folder_is_refused(tmp_path):
    write(tmp_path, "mimic-cxr-2.0.0-chexpert.csv", CHEXPERT)
    for key in ("../../etc/passwd", "", "a/b"):
        write(tmp_path, "mimic-cxr-2.0.0-metadata.csv", METADATA + f"{key},10000001,50000001,CHEST,PA\n")
        with pytest.raises(CxrbenchError, match="has dicom_id"):
            mimic_cxr.read(tmp_path)


def tables(root, studies):
    """Tables of (patient, label, views of its images) a study."""
    metadata = ["dicom_id,subject_id,study_id,ViewPosition"]
    findings = ["study_id,No Finding,Pneumonia"]
    for number, (patient, label, views) in enumerate(studies):
        findings.append(f"{number},{'1.0' if label == 'normal' else ''},{'1.0' if label == 'pneumonia' else '-1.0'}")
        metadata += [f"d{number}-{at},{patient},{number},{view}" for at, view in enumerate(views)]
    for name, lines in (("metadata", metadata), ("chexpert", findings)):
        write(root, f"mimic-cxr-2.0.0-{name}.csv", "\n".join(lines) + "\n")


COHORTS = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.sampled_from(["normal", "pneumonia", ""]),
        st.lists(st.sampled_from(["PA", "AP", "", "LATERAL", "LL"]), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60)
@given(COHORTS, st.integers(1, 12), st.integers(0, 5))
def test_a_subset_is_whole_patients_and_never_above_its_size(tmp_path_factory, studies, per_label, seed):
    root = tmp_path_factory.mktemp("mimic")
    tables(root, studies)
    every, subset = mimic_cxr.read(root).images, mimic_cxr.read(root, per_label, seed)
    some = subset.images
    counts = Counter(one.label for one in some if one.view != "lateral")
    assert all(count <= per_label for count in counts.values())
    patients = {one.patient_id for one in some}
    assert some == [one for one in every if one.patient_id in patients and one.label]  # laterals of theirs too
    assert subset.skipped == {"images beyond per_label": len(every) - len(some)}
    # Nobody is left out who would still fit.
    for patient in {one.patient_id for one in every if one.label and one.view != "lateral"} - patients:
        theirs = Counter(one.label for one in every if one.patient_id == patient and one.view != "lateral")
        assert any(counts[label] + theirs[label] > per_label for label in ("normal", "pneumonia"))


def test_a_subset_depends_on_the_seed_and_not_on_the_order_of_the_table(tmp_path):
    studies = [(patient, "normal", ["PA"]) for patient in range(100, 140)]
    drawn = []
    for order in (studies, studies[::-1]):
        tables(tmp_path, order)
        drawn.append({one.patient_id for one in mimic_cxr.read(tmp_path, 10, seed=0).images})
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 10
    assert drawn[1] != {one.patient_id for one in mimic_cxr.read(tmp_path, 10, seed=1).images}


def test_where_both_findings_are_present_the_label_is_pneumonia(tmp_path):
    write(tmp_path, "mimic-cxr-2.0.0-metadata.csv", "dicom_id,subject_id,study_id\nd1,1,1\n")
    write(tmp_path, "mimic-cxr-2.0.0-chexpert.csv", "study_id,No Finding,Pneumonia\n1,1.0,1.0\n")
    assert mimic_cxr.read(tmp_path).images[0].label == "pneumonia"


def three_tables(root, metadata=METADATA, chexpert=CHEXPERT, split=SPLIT):
    for name, text in (("metadata", metadata), ("chexpert", chexpert), ("split", split)):
        write(root, f"mimic-cxr-2.0.0-{name}.csv", text)


def test_identifiers_that_became_floats_still_match_between_the_tables(tmp_path):
    three_tables(tmp_path)
    as_saved = mimic_cxr.read(tmp_path)
    for changed in ({"chexpert": CHEXPERT}, {"metadata": METADATA}):
        ((table, text),) = changed.items()
        three_tables(tmp_path, **{table: re.sub(r"\b(\d{8})\b", r"\1.0", text)})
        assert mimic_cxr.read(tmp_path) == as_saved
    assert {image.label for image in as_saved.images} == {"pneumonia", "normal", ""}


def test_rounded_identifiers_are_refused(tmp_path):
    three_tables(tmp_path, chexpert=re.sub(r"\b5000000\d\b", "5.00E+07", CHEXPERT))
    with pytest.raises(CxrbenchError, match=r"chexpert\.csv has study_id '5\.00E\+07' in line 2, a rounded number"):
        mimic_cxr.read(tmp_path)


def test_a_label_table_of_other_studies_is_refused_with_both_names(tmp_path):
    three_tables(tmp_path, chexpert=CHEXPERT.replace("5000000", "s5000000"))
    with pytest.raises(CxrbenchError, match=r"has no study_id of .*'s50000001' and '50000001'"):
        mimic_cxr.read(tmp_path)


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        (
            "chexpert",
            "10000001,50000001,,1.0,\n",
            "study_id '50000001' twice, with label 'pneumonia' in line 2 and 'normal'",
        ),
        (
            "metadata",
            "d1,10000009,50000001,CHEST,PA\n",
            "dicom_id 'd1' twice, with subject_id '10000001' in line 2 and",
        ),
        ("split", "d1,1,1,test\n", "dicom_id 'd1' twice, with split 'train' in line 2 and 'test' in line 5"),
    ],
)
def test_two_rows_of_one_key_that_disagree_are_an_error_that_names_them(tmp_path, table, line, message):
    text = {"metadata": METADATA, "chexpert": CHEXPERT, "split": SPLIT}[table]
    three_tables(tmp_path, **{table: text + line})
    with pytest.raises(CxrbenchError, match=message):
        mimic_cxr.read(tmp_path)


def test_two_rows_of_one_key_that_agree_are_one(tmp_path):
    three_tables(tmp_path, *(text + text.splitlines()[1] + "\n" for text in (METADATA, CHEXPERT, SPLIT)))
    assert [image.image_id for image in mimic_cxr.read(tmp_path).images] == ["d1", "d2", "d3", "d4", "d5"]
