"""What a pack tells of params.yaml: everything but where the images lie on this machine."""

from ruamel.yaml import YAML

from cxrbench.reporting.pack import without_folders

PARAMS = """\
lr: 1.0e-3 # a comment
weights: null
cohorts:
  pneumonia: {source: kaggle, root: /home/kim/My Images/chest_xray, fetch: null}
  covid: {source: directory, root: '../shared data', table: covid345.csv}
  mimic: {source: phantom, kind: pneumonia}
studies: {}
"""


def test_folders_of_images_are_named_without_their_paths_and_all_else_stays():
    text = without_folders(PARAMS)
    assert "/home/kim" not in text
    assert ".." not in text
    before, after = (YAML(typ="safe", pure=True).load(one) for one in (PARAMS, text))
    assert after["cohorts"]["pneumonia"].pop("root") == "chest_xray"
    assert after["cohorts"]["covid"].pop("root") == "shared data"
    for name in ("pneumonia", "covid"):
        del before["cohorts"][name]["root"]
    assert after == before
