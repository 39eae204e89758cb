"""One full set of training choices: what a study varies and a run's fingerprint covers.

Each is declared here once, with its check, its default, what it means and what of it a fingerprint takes; the keys of
params.yaml, MLflow's parameters, the report's line 'Held fixed' and docs/settings.md follow from it. Names only, no
Keras: a bad value is refused before anything heavy is imported. Tests hold that these names are exactly the ones that
``models`` and ``training`` provide.
"""

# mypy: disable-error-code="valid-type"

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cxrbench.base import plugins
from cxrbench.base.tables import PROTOCOLS
from cxrbench.config.checked import Checked, Text, check, named
from cxrbench.config.loss_forms import LOSS_FORMS
from cxrbench.config.optimizers import OPTIMIZERS

MODELS = plugins.built_in("model")
LOSSES = (*LOSS_FORMS, *plugins.built_in("loss"))
RESIZES = ("squash", "pad", "trim")
HIDDEN = ("nothing", "lungs")
AUGMENTS = ("none", *plugins.built_in("augmentation"))
CHECKPOINTS = ("last", "best")
PRECISIONS = ("float32", "mixed_bfloat16")
BACKBONES = ("trained", "frozen", "fine_tuned")
Model, Loss = named("model", MODELS), named("loss", LOSSES)
Augment, Optimizer = named("augmentation", AUGMENTS), named("optimizer", OPTIMIZERS)
LATER = "later"  # marks a setting that came later: its default is left out of fingerprints, which stay as they were
BY_CHECKSUM = "by checksum"  # marks a value that may name a file, of which the fingerprint takes the content


class Setting(Checked):
    """What decides a run, but for its seed, its data and the code."""

    cohort: Text = Field("pneumonia", description="a name of cohorts, or 'views': the view network's own images")
    protocol: Literal[PROTOCOLS] = Field("paper", description="how images become training, validation and test")
    redraw: Annotated[bool, LATER] = Field(
        False, description="each seed has a split of its own, drawn anew; of the base setting split.redraw says it"
    )
    model: Model = Field("small_cnn", description="the network")
    weights: Annotated[Text | None, BY_CHECKSUM] = Field(
        None, description="null: random; else 'imagenet' or the path of a .weights.h5 file"
    )
    backbone: Annotated[Literal[BACKBONES], LATER] = Field(
        "trained", description="all layers but the output layer; fine_tuned: frozen at first, then trained"
    )
    head_epochs: Annotated[int | None, LATER] = Field(
        None, ge=1, le=100_000, description="of fine_tuned: the epochs at first, in which the output layer learns alone"
    )
    fine_tune_lr: Annotated[float | None, LATER] = Field(
        None, gt=0, le=100, description="of fine_tuned: the learning rate of all layers after these"
    )
    image_size: int = Field(64, ge=8, le=4096, description="pixels, square")
    resize: Literal[RESIZES] = Field("squash", description="to a square; trim: squash what a uniform margin surrounds")
    hide: Literal[HIDDEN] = Field("nothing", description="black out a part of every image: a control; lungs: a box")
    augment: Augment = Field("none", description="paper: the maps of Choe & Jo 2020; robust: tone, noise too")
    balance: bool = Field(False, description="show the classes of each source equally often; a rarer one is repeated")
    optimizer: Optimizer = Field("adam", description="Keras's, by name, or your own")
    lr: float = Field(0.001, gt=0, le=100, description="learning rate")
    batch_size: int = Field(32, ge=1, le=65536, description="images in a training step")
    epochs: int = Field(6, ge=1, le=100_000, description="passes over the training images")
    loss: Loss = Field("binary_crossentropy", description="what training minimises")
    precision: Literal[PRECISIONS] = Field("float32", description="of arithmetic; weights and output are float32")
    threads: int = Field(1, ge=1, le=1024, description="of a run on processor cores; they decide a score's last bits")
    padding: int | None = Field(None, ge=0, le=16, description="pixels around a convolution's input; covid_cnn alone")
    checkpoint: Literal[CHECKPOINTS] = Field("last", description="epoch to keep; best: of the lowest validation loss")

    @model_validator(mode="after")
    def _view_images_have_one_split(self) -> "Setting":
        if self.redraw and self.cohort == "views":
            raise ValueError(
                "redraw is true and cohort 'views'; the view network's images have one split, set it to false"
            )
        return self

    @model_validator(mode="after")
    def _a_frozen_backbone_has_learnt(self) -> "Setting":
        if self.backbone != "trained" and self.weights is None:
            raise ValueError(
                f"backbone is {self.backbone} and weights null; a frozen backbone of random weights has learnt nothing:"
                " set weights to imagenet or a file, or backbone to trained"
            )
        return self

    @model_validator(mode="after")
    def _a_schedule_is_of_fine_tuning(self) -> "Setting":
        for key in ("head_epochs", "fine_tune_lr"):
            value = getattr(self, key)
            if (value is None) == (self.backbone == "fine_tuned"):
                raise ValueError(
                    f"{key} is {'null' if value is None else value} and backbone {self.backbone}; backbone fine_tuned"
                    f" alone has that setting, and needs it: set {key} to {'a number' if value is None else 'null'}"
                )
        if self.head_epochs is not None and self.head_epochs >= self.epochs:
            raise ValueError(
                f"head_epochs is {self.head_epochs} and epochs {self.epochs}; all layers would never be trained: raise"
                " epochs, or set backbone to frozen"
            )
        return self

    @model_validator(mode="after")
    def _padding_is_of_covid_cnn(self) -> "Setting":
        if (self.padding is None) == (self.model == "covid_cnn"):
            raise ValueError(
                f"padding is {self.padding} and model {self.model}; only covid_cnn has that setting, and needs it:"
                f" set padding to {'a whole number from 0 to 16' if self.padding is None else 'null'}"
            )
        return self


SETTING_KEYS = tuple(Setting.model_fields)
LATER_KEYS = tuple(name for name, field in Setting.model_fields.items() if LATER in field.metadata)
FILE_KEYS = tuple(name for name, field in Setting.model_fields.items() if BY_CHECKSUM in field.metadata)


def replace(setting: Setting, overrides: dict[str, Any], where: str = "") -> Setting:
    """``setting`` with ``overrides``; an unknown key or bad value is an error that names ``where``."""
    return check(Setting, {**setting.model_dump(), **overrides}, where)
