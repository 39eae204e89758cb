"""The reader of the COVID-19 image data collection."""

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.sources import covid19

TABLE = """patientid,offset,sex,finding,view,modality,folder,filename,license,
2,0,M,Pneumonia/Viral/COVID-19,PA,X-ray,images,a.jpeg,CC BY,
2,3,M,"COVID-19, ARDS",AP Supine,X-ray,images,b.jpg,,
2,,M,Pneumonia/Viral/COVID-19,L,X-ray,images,c.png,,
7,1,F,No Finding,AP Erect,X-ray,images,d.png,,
8,,F,Pneumonia/Bacterial/Legionella,AP,X-ray,images,e.png,,
9,,F,Tuberculosis,PA,X-ray,images,f.png,,
9,,F,todo,,X-ray,images,g.png,,
10,,F,Pneumonia/Viral/COVID-19,Axial,CT,volumes,h.nii.gz,,
10,,F,Pneumonia/Viral/COVID-19,Coronal,CT,images,i.png,,
2,0,M,Pneumonia/Viral/COVID-19,PA,X-ray,images,a.jpeg,CC BY,
"""


def write(root, text=TABLE):
    root.mkdir(exist_ok=True)
    (root / "metadata.csv").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("inside", ["", "covid-chestxray-dataset-master"])
def test_labels_views_and_patients_come_from_the_table(tmp_path, inside):
    write(tmp_path / inside)
    listing = covid19.read(tmp_path)
    images = listing.images
    assert [(one.image_id, one.label, one.view_position, one.view, one.patient_id, one.study_id) for one in images] == [
        ("images/a", "covid", "PA", "frontal", "2", "2-0"),
        ("images/b", "covid", "AP Supine", "frontal", "2", "2-3"),
        ("images/c", "covid", "L", "lateral", "2", ""),
        ("images/d", "normal", "AP Erect", "frontal", "7", "7-1"),
        ("images/e", "pneumonia", "AP", "frontal", "8", ""),
        ("images/f", "", "PA", "frontal", "9", ""),
        ("images/g", "", "", "", "9", ""),
    ]
    assert images[0].path == tmp_path / inside / "images/a.jpeg"
    assert listing.skipped == {"images other than radiographs": 2, "repeated lines of the table": 1}


def test_a_table_older_than_the_column_of_modalities_skips_tomography_by_its_view(tmp_path):
    write(tmp_path, "finding,view,filename\nCOVID-19,PA,a.png\nCOVID-19,Axial,b.png\nCOVID-19,CT,c.png\n")
    assert [one.path for one in covid19.read(tmp_path).images] == [tmp_path / "images/a.png"]


def test_a_wrong_root_and_a_wrong_table_are_one_sentence_each(tmp_path):
    with pytest.raises(CxrbenchError, match="does not exist"):
        covid19.read(tmp_path / "nowhere")
    with pytest.raises(CxrbenchError, match=r"holds no metadata\.csv"):
        covid19.read(tmp_path)
    write(tmp_path, "finding,filename\nCOVID-19,a.png\n")
    with pytest.raises(CxrbenchError, match="lacks view"):
        covid19.read(tmp_path)


def test_folders_of_tools_are_not_taken_for_the_collection(tmp_path):
    write(tmp_path / "zz-collection", "finding,view,filename,patientid\nCOVID-19,PA,a.png,7.0\n")
    write(tmp_path / "__MACOSX", "finding,view,filename\nCOVID-19,PA,b.png\n")
    (image,) = covid19.read(tmp_path).images
    assert (image.path, image.patient_id) == (tmp_path / "zz-collection/images/a.png", "7")
