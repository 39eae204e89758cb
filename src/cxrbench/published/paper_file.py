"""The form of a file of data/published/: each key once, with what it may hold."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from cxrbench.base.tables import PARTS
from cxrbench.config.checked import Checked, Text
from cxrbench.evaluation.metrics import METRICS, TIMES
from cxrbench.evaluation.verdicts import KINDS
from cxrbench.published.figures import UNITS

ROWS_OF = ("setting", "epoch")
BASE_GRID = "published"  # the file of conf/grid/ with the studies of params.yaml as it is committed
CHECKLIST_ITEMS = 44  # of CLAIM 2024

# mypy: disable-error-code="valid-type"
Metric, Part = Literal[(*METRICS, *TIMES)], Literal[PARTS]
Printed = Annotated[str, Field(min_length=1, description="write figures in quotes, such as '98.00'")]
Count = Annotated[int, Field(ge=1, le=10**6)]
Name = Text | int | float  # of a setting or an epoch; YAML reads 5 as a number


class Citation(Checked):
    """What is known of where the paper was published; null: not known."""

    authors: list[Text] | None
    title: Text | None
    title_original: Text | None
    journal: Text | None
    year: int | None
    volume: int | Text | None
    issue: int | Text | None
    pages: Text | None
    doi: Text | None


class Counts(Checked):
    """On how many images a table was taken: of each class, or of both together; and of how many runs it is a mean."""

    negative: Count | None = None
    positive: Count | None = None
    all: Annotated[int, Field(ge=2, le=10**6)] | None = None  # at least one of each class
    runs: Count

    @model_validator(mode="after")
    def _of_each_class_or_of_both(self) -> "Counts":
        known = self.negative is not None, self.positive is not None
        if known not in ((True, True), (False, False)) or any(known) == (self.all is not None):
            raise ValueError("they need either 'negative' and 'positive', or 'all'")
        return self


class TableEntry(Checked):
    """One table; a figure is text, or an error that names its row (``figures``)."""

    name: str = ""
    caption: str = ""
    part: Part
    units: dict[Metric, Literal[UNITS]]
    rows: dict[Name, dict[str, Any]]
    rows_of: Literal[ROWS_OF] = "setting"
    images: Counts | None = None


class ClaimEntry(Checked):
    """One claim; ``value`` are the two numbers that it says the metric lies between."""

    id: Text
    statement: Text
    kind: Literal[KINDS]
    metric: Metric
    part: Part
    settings: Annotated[list[Text], Field(min_length=1)]
    against: list[Text] = Field([])
    value: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _what_its_kind_needs(self) -> "ClaimEntry":
        ranked = self.kind in ("best", "better")
        if ranked != bool(self.against) or (ranked and len(self.settings) != 1):
            raise ValueError(
                f"'{self.id}' is of kind {self.kind}; best and better need one setting and 'against', others neither"
            )
        if (self.kind == "value") != (self.value is not None):
            raise ValueError(
                f"'{self.id}' is of kind {self.kind} and its value is {self.value}; kind value needs two numbers, the"
                " lower first, others none"
            )
        return self


class Unsaid(Checked):
    said: Printed
    assumed: Printed


class Fact(Checked):
    what: Printed
    printed: Printed
    source: Printed


class Untestable(Checked):
    said: Printed
    why: Printed


class PaperFile(Checked):
    """The whole file."""

    study: Text
    question: Text
    citation: Citation
    tables: list[TableEntry]
    claims: list[ClaimEntry]
    unsaid: list[Unsaid]
    contradictions: list[Printed]
    grid: Text = BASE_GRID
    facts: list[Fact] = Field([])
    untestable: list[Untestable] = Field([])
    claim_2024: dict[Any, Text] = Field({})  # item of the checklist -> what the paper says of it

    @field_validator("claims")
    @classmethod
    def _each_claim_once(cls, claims: list[ClaimEntry]) -> list[ClaimEntry]:
        names = [claim.id for claim in claims]
        if len({*names}) < len(names):
            raise ValueError(f"an id stands twice among {names}; make them unique")
        return claims

    @field_validator("claim_2024")
    @classmethod
    def _items_of_the_checklist(cls, said: dict[Any, str]) -> dict[int, str]:
        for number, text in said.items():
            if type(number) is not int or not 1 <= number <= CHECKLIST_ITEMS:
                raise ValueError(f"{number!r} is no item; name one from 1 to {CHECKLIST_ITEMS}")
            if not text.strip():
                raise ValueError(f"{number} is {text!r}; say in words what the paper says, or leave it out")
        return said
