"""The words that stand in the tables of earlier stages, marked for translation; each table says where it is shown.

Those stages write English, whatever language the report speaks.
"""

from cxrbench.base.language import N_

PARTS = (N_("train"), N_("validation"), N_("test"))
LABELS = (N_("normal"), N_("pneumonia"), N_("covid"), N_("lateral"), N_("frontal"))
METRICS = (
    *(N_("accuracy"), N_("precision"), N_("recall"), N_("specificity"), N_("f1"), N_("auc"), N_("loss"), N_("mse")),
    *(N_("first_epoch_seconds"), N_("epoch_seconds")),
)
KINDS = (  # of what is shared, in the table 'leaks'
    *(N_("patient, strict"), N_("patient, loose"), N_("identical file"), N_("near-duplicate")),
    *(N_("a patient (strict reading)"), N_("a patient (loose reading)")),
    *(N_("an identical file"), N_("a near-duplicate")),
)
FEATURES = (  # of the table 'shortcuts'
    *(N_("file size"), N_("pixel area"), N_("aspect ratio")),
    *(N_("colour mode"), N_("mean brightness"), N_("border")),
)
REJECTED = (  # why a file could not be used
    *(N_("bad header"), N_("empty"), N_("missing"), N_("not an image"), N_("one grey")),
    *(N_("too large"), N_("too small"), N_("truncated"), N_("unsupported")),
)
REVIEWED = (  # why a person should look at an image
    N_("the network abstains"),
    N_("the network gives no number"),
    N_("the network disagrees with the metadata"),
)
VIEW_FILTER = (  # of view-filter's metrics.json, blanks for underscores
    *(N_("images"), N_("frontal by network"), N_("abstained"), N_("disagreements"), N_("errors"), N_("mean")),
    *(N_("validation accuracy"), N_("test accuracy"), N_("test images")),
    *(N_("frontal called lateral"), N_("frontal abstained"), N_("lateral called frontal"), N_("lateral abstained")),
)
SEVERITIES = (N_("critical"), N_("warning"))
CHECKS = (  # the checks whose failure warns; after the failure of any other one there is no report
    N_("{cohort}: at most {percent} % of the files were rejected"),
    N_("{cohort}: at most {percent} % of the labels are empty"),
    N_("{cohort}: every label is {negative} or {positive}, or empty"),
    N_("{cohort}, {protocol} protocol: no two parts share {what}"),
    N_("{cohort}, {protocol} protocol, redrawn splits: no two parts share {what}"),
    N_("{cohort}, paper protocol, which divides images and not patients: no two parts share {what}"),
    N_("{cohort}, paper protocol, which divides images and not patients, redrawn splits: no two parts share {what}"),
    N_("{cohort}, {negative} and {positive}: the two labels share no {what}"),
    N_("no feature of the file alone separates the classes (AUC from {low} to {high})"),
)
