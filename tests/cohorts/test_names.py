"""File names tell patients where a form says how, and a likely form is offered where names begin alike."""

import pytest

from cxrbench.cohorts.names import likely_form, patients


@pytest.mark.parametrize(
    ("form", "name", "patient"),
    [
        ("{patient}_*", "P0012_01.jpg", "P0012"),
        ("{patient}_*", "P0012_01_PA.jpg", "P0012"),
        ("person{patient}_*", "person23_virus_45.jpeg", "23"),
        ("*-{patient}", "2021-chest-0007.png", "chest-0007"),
        ("IM-{patient}-*", "im-0115-0001.jpeg", "0115"),
        ("{patient}_*", "홍길동_1 - 복사본.png", "홍길동"),
        ("{patient} (*", "17 (2).png", "17"),
        ("{patient}", "normal/17.png", "17"),
        ("{patient}/*", "normal/P0012/01.jpg", "P0012"),
        ("patient{patient}/*/*", "CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg", "00001"),
        ("*/{patient}_*", "정상/홍길동_1.png", "홍길동"),
    ],
)
def test_a_form_says_which_piece_of_a_name_is_the_patient(form, name, patient):
    assert patients(form, [name]) == ([patient], ())


def test_names_of_another_form_have_no_patient_and_are_counted():
    found, notes = patients("{patient}_*", ["a_1.png", "b.png"])
    assert found == ["a", ""]
    assert notes == (
        "1 of 2 file names do not have the form '{patient}_*', such as b.png; mend file_names, or leave these without a"
        " patient",
    )


def test_a_file_in_too_few_folders_for_the_form_has_no_patient():
    assert patients("{patient}/*/*", ["p1/a.png", "all/p1/s1/a.png"])[0] == ["", "p1"]


def test_folders_of_patients_give_a_form_and_an_example():
    files = [f"root/patient{who:03}/study{study}/view1.jpg" for who in range(40) for study in range(1 + (who == 7))]
    assert likely_form(files) == ("{patient}/*/*", ("patient007/study0/view1", "patient007/study1/view1"))
    files = [f"root/normal/P{who:03}/{image}.png" for who in range(40) for image in range(1 + (who == 7))]
    assert likely_form(files) == ("{patient}/*", ("P007/0", "P007/1"))


def test_names_that_begin_alike_in_pairs_give_a_form_and_an_example():
    names = [f"P{who:04}-{image}.png" for who in range(40) for image in range(1 + (who == 7))]
    assert likely_form(names) == ("{patient}-*", ("P0007-0", "P0007-1"))


@pytest.mark.parametrize(
    "names",
    [
        [f"x/normal/{n}.png" for n in range(50)],
        [f"image_{n}.png" for n in range(50)],
        [f"a{n}_1.png" for n in range(50)],
    ],
)
def test_numbers_a_word_before_every_number_and_names_that_never_begin_alike_give_none(names):
    assert likely_form(names) is None
