"""The reader of a folder of one's own, by class folders or by a table."""

import numpy as np
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.listing import TOOL_FILES
from cxrbench.cohorts.sources import directory
from tests.images.dicom_files import dicom_bytes


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def table(root, text, **columns):
    return listed(root, text, **columns).images


def listed(root, text, **columns):
    root.mkdir(exist_ok=True)
    (root / "list.csv").write_text(text, encoding="utf-8")
    return directory.read(root, "list.csv", None, columns, "pneumonia", "no finding")


def test_a_class_folder_is_a_label_in_lower_case(tmp_path):
    touch(tmp_path, "Covid/a.png", "Covid/deep/b.png", "normal/a.png", "readme.txt")
    images = directory.read(tmp_path, view="frontal").images
    assert [(image.image_id, image.label, image.source_part, image.view) for image in images] == [
        ("Covid/a", "covid", "", "frontal"),
        ("Covid/deep/b", "covid", "", "frontal"),
        ("normal/a", "normal", "", "frontal"),
    ]


def test_part_folders_above_the_class_folders_are_the_sources_split(tmp_path):
    touch(tmp_path, "train/normal/a.png", "val/normal/b.png", "validation/normal/c.png", "Test/covid/d.png")
    images = {image.image_id: (image.source_part, image.label) for image in directory.read(tmp_path).images}
    assert images == {
        "train/normal/a": ("train", "normal"),
        "val/normal/b": ("validation", "normal"),
        "validation/normal/c": ("validation", "normal"),
        "Test/covid/d": ("test", "covid"),
    }


def test_folders_of_the_wrong_shape_are_one_sentence_each(tmp_path):
    with pytest.raises(CxrbenchError, match="does not exist"):
        directory.read(tmp_path / "nowhere")
    touch(tmp_path, "loose.png")
    with pytest.raises(CxrbenchError, match="no sub-folder for a class"):
        directory.read(tmp_path)
    (tmp_path / "normal").mkdir()
    with pytest.raises(CxrbenchError, match="1 class folders but no file"):
        directory.read(tmp_path)
    touch(tmp_path, "train/normal/a.png")
    with pytest.raises(CxrbenchError, match="both 'train', a part, and 'normal', a class"):
        directory.read(tmp_path)


def test_a_table_may_say_split_patient_and_view(tmp_path):
    images = table(
        tmp_path,
        "path,label,split,patient_id,view\na.png,Normal,train,p1,PA\nd/b.png,COVID,val,,lateral\nc.png,,,p1,\n",
    )
    assert [
        (one.image_id, one.label, one.source_part, one.patient_id, one.view_position, one.view) for one in images
    ] == [
        ("a", "normal", "train", "p1", "PA", "frontal"),
        ("d/b", "covid", "validation", "", "lateral", "lateral"),
        ("c", "", "", "p1", "", ""),
    ]
    assert images[1].path == tmp_path / "d/b.png"


def test_the_tables_view_stands_above_the_cohorts(tmp_path):
    table(tmp_path, "path,label,view\na.png,x,LL\nb.png,x,\n")
    assert [image.view for image in directory.read(tmp_path, "list.csv", "frontal").images] == ["lateral", "frontal"]


def test_a_byte_order_mark_and_blanks_do_no_harm(tmp_path):
    images = table(tmp_path, "\ufeffpath , label\n a.png , Normal \n")
    assert (images[0].image_id, images[0].label) == ("a", "normal")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,kind\na.png,x\n", "has columns path, kind and lacks label"),
        ("path,label\n", "no rows"),
        ("", "cannot be read"),
        ("path,label\n,x\n", "has no path in line 2"),
        ("path,label\na.png,x\n./a.png,y\n", "has path 'a.png' twice, with label 'x' in line 2 and 'y' in line 3"),
        ("where,label\na.png,x\n", r"lacks path .* tell which column it is: columns: {path: ITS NAME} in the cohort's"),
        ("path,label,split\na.png,x,holdout\n", "has split 'holdout' in line 2"),
        ('path,label\n"a.png,x\n', "cannot be read"),
    ],
)
def test_a_bad_table_is_named_with_what_is_wrong(tmp_path, text, message):
    with pytest.raises(CxrbenchError, match=message) as caught:
        table(tmp_path, text)
    assert "list.csv" in str(caught.value)


def test_a_table_that_is_no_text_or_not_there_is_an_error(tmp_path):
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(CxrbenchError, match=r"list\.csv cannot be read"):
        directory.read(tmp_path, "list.csv")
    with pytest.raises(CxrbenchError, match=r"other\.csv does not exist"):
        directory.read(tmp_path, "other.csv")


def test_what_tools_leave_is_neither_a_class_nor_an_image(tmp_path):
    touch(tmp_path, *(f"{kind}/{name}.png" for kind in ("covid", "normal") for name in "abc"))
    touch(tmp_path, *(f"{kind}/.ipynb_checkpoints/a-checkpoint.png" for kind in ("covid", "normal")), ".cache/z")
    touch(tmp_path, "@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "covid/@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/x/y")
    touch(tmp_path, "normal/Thumbs.db", "normal/._a.png", "loose.txt")
    listing = directory.read(tmp_path)
    assert [image.image_id for image in listing.images] == [f"{k}/{n}" for k in ("covid", "normal") for n in "abc"]
    assert listing.skipped == {TOOL_FILES: 8, "files outside the class folders": 1}


def test_a_table_in_any_usual_form_is_read(tmp_path):
    text = (
        "Filename;Diagnosis;Fold;PatientID;ViewPosition;Age\r\nd\\\\a.png;Viral  Pneumonia;Train;7.0;PA;40\r\n;;;;;\r\n"
    )
    tmp_path.joinpath("list.csv").write_bytes(text.replace("\\\\", "\\").encode("utf-16"))
    listing = directory.read(tmp_path, "list.csv")
    (image,) = listing.images
    assert (image.path, image.label, image.source_part, image.patient_id, image.view) == (
        tmp_path / "d/a.png", "viral pneumonia", "train", "7", "frontal",
    )  # fmt: skip
    assert listing.notes == (
        f"table {tmp_path}/list.csv: 1 columns are ignored (Age); used are Filename, Diagnosis, Fold, PatientID,"
        " ViewPosition. The cohort's columns name others",
    )


def test_folds_by_number_are_no_parts_and_the_error_names_the_column(tmp_path):
    with pytest.raises(CxrbenchError, match=r"has fold '0' in line 2; .* give the column another name"):
        table(tmp_path, "path,label,fold\na.png,x,0\n")


def test_rounded_patients_are_refused_since_they_would_become_one(tmp_path):
    with pytest.raises(CxrbenchError, match=r"has PatientID '5\.0E\+07' in line 2, a rounded number"):
        table(tmp_path, "path,label,PatientID\na.png,x,5.0E+07\nb.png,y,5.0E+07\n")


@pytest.mark.parametrize("path", ["../a.png", "/etc/a.png", "C:\\a.png"])
def test_a_path_outside_the_root_is_refused_by_its_line(tmp_path, path):
    with pytest.raises(CxrbenchError, match=r"line 2, has path .* does not lie below"):
        table(tmp_path, f"path,label\n{path},x\n")


def test_the_users_names_of_columns_stand_above_the_usual_ones(tmp_path):
    text = "번호,영상파일,환자번호,판독결과,label,촬영방향\n1,a.png,007,정상,Z,PA\n"
    (image,) = table(tmp_path, text, path="영상파일", label="판독결과", patient_id="환자번호", view="촬영방향")
    assert (image.image_id, image.label, image.patient_id, image.view) == ("a", "정상", "007", "frontal")


def test_one_column_may_name_the_file_and_the_patient(tmp_path):
    touch(tmp_path, "deep/0004cfab.dcm")
    (image,) = table(tmp_path, "patientId,Target\n0004cfab,1\n", path="patientId", patient_id="patientId")
    assert (image.path, image.patient_id, image.label) == (tmp_path / "deep/0004cfab.dcm", "0004cfab", "1")


def test_folders_tell_the_patients_of_whom_the_table_says_nothing(tmp_path):
    (tmp_path / "list.csv").write_text("path,label,patient\np1/s1/a.png,x,\np1/s2/a.png,x,other\nb.png,y,\n")
    listing = directory.read(tmp_path, "list.csv", file_names="{patient}/*/*")
    assert [image.patient_id for image in listing.images] == ["p1", "other", ""]
    assert any("1 of 3 file names do not have the form" in note for note in listing.notes)


def test_a_name_that_the_table_lacks_is_an_error_that_names_the_columns_there(tmp_path):
    with pytest.raises(CxrbenchError, match=r"has columns path, kind and no 'Kind of', which .* name as its label"):
        table(tmp_path, "path,kind\na.png,x\n", label="Kind of")


def test_of_several_findings_in_a_cell_the_positive_label_counts_first(tmp_path):
    cells = ["Effusion|Pneumonia", " pneumonia | No Finding", "no finding;Hernia", "Effusion|Hernia", "Pneumonia"]
    rows = "".join(f"{number}.png\t{cell}\n" for number, cell in enumerate(cells))
    listing = listed(tmp_path, f"Image Index\tFinding Labels\n{rows}")
    assert [image.label for image in listing.images] == [
        "pneumonia", "pneumonia", "no finding", "effusion|hernia", "pneumonia",
    ]  # fmt: skip
    assert "4 rows name several findings in Finding Labels; 3 of them have 'pneumonia' or 'no finding'" in " ".join(
        listing.notes
    )


CHEXPERT = "Path,Frontal/Lateral,AP/PA,{},Pneumonia\n" + "".join(
    f"{number}.jpg,Frontal,AP,{cells}\n" for number, cells in enumerate([",1.0", "1.0,", "0,0.0", ",-1.0", ",", "1,1"])
)


def test_a_column_of_0_and_1_for_a_label_is_read(tmp_path):
    for columns in ({}, {"label": "Pneumonia"}):
        listing = listed(tmp_path, CHEXPERT.format("No Finding"), **columns)
        assert [one.label for one in listing.images] == ["pneumonia", "no finding", "", "", "", "pneumonia"]
        assert {one.view for one in listing.images} == {"frontal"}
        assert "3 of 6 rows say neither" in " ".join(listing.notes)
    alone = listed(tmp_path, CHEXPERT.format("Edema"))  # no column of the negative label
    assert [one.label for one in alone.images] == ["pneumonia", "", "no finding", "", "", "pneumonia"]


def test_a_word_in_a_column_of_0_and_1_is_an_error(tmp_path):
    with pytest.raises(CxrbenchError, match=r"has Pneumonia 'viral' in line 2; .* 1, 0, -1 \(uncertain\) or nothing"):
        table(tmp_path, "path,Pneumonia\na.png,viral\n")


def test_a_column_of_words_stands_above_one_of_0_and_1(tmp_path):
    assert [one.label for one in table(tmp_path, "path,label,Pneumonia\na.png,COVID,1\n")] == ["covid"]


def test_a_file_is_found_below_the_root_by_the_end_of_its_path(tmp_path):
    root = tmp_path / "set"
    touch(root, "images_001/images/a.PNG", "b/view1.jpg", "c/view1.jpg")
    rows = ["a.png", "images/b.png", "set/b/view1.jpg", "c/view1"]
    listing = listed(root, "path,label\n" + "".join(f"{row},x\n" for row in rows))
    assert [image.path.relative_to(root).as_posix() for image in listing.images] == [
        "images_001/images/a.PNG", "images/b.png", "b/view1.jpg", "c/view1.jpg",
    ]  # fmt: skip
    with pytest.raises(CxrbenchError, match=r"has 'view1.jpg' in line 2, .* 2 such files, b/view1.jpg and c/view1.jpg"):
        table(root, "path,label\nview1.jpg,x\n")


def test_repeated_rows_and_files_without_a_row_are_counted(tmp_path):
    touch(tmp_path, "a.png", "b.png", "c.PNG", "SHA256SUMS.txt")
    listing = listed(tmp_path, "path,label,age\na.png,x,5\n./a.png,X,6\n")
    assert len(listing.images) == 1
    assert listing.skipped == {"repeated lines of the table": 1, "images that the table does not name": 2}


def test_a_table_may_name_dicom_files_by_what_their_headers_say(tmp_path):
    pixels = np.arange(64, dtype="uint16").reshape(8, 8)
    for name, more in {
        "d/1": {"AccessionNumber": "007"},
        "d/2": {"AccessionNumber": "007"},
        "3.dcm": {"AccessionNumber": "8", "SOPInstanceUID": "1.2.9"},
        "report.dcm": {"AccessionNumber": "8", "Rows": None},
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(dicom_bytes(pixels, **more))
    by_study = listed(tmp_path, "Accession Number,Diagnosis\n007,x\n8,y\n9,z\n", path="AccessionNumber")
    assert [(image.image_id, image.label) for image in by_study.images] == [
        ("d/1", "x"), ("d/2", "x"), ("3", "y"), ("9", "z"),
    ]  # fmt: skip
    by_image = listed(tmp_path, "SOPInstanceUID,Diagnosis\n1.2.9,x\n", path="SOPInstanceUID")
    assert [image.image_id for image in by_image.images] == ["3"]
