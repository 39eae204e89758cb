"""The tables of docs/results.md, of the reports that stand in the result sets. A second or two; nothing is trained.

    python benchmarks/results.py [results/NAME ...]

A test holds that docs/results.md says what this prints.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from cxrbench.base.tables import read_table
from cxrbench.published import papers
from cxrbench.reporting.tables import PERCENT, gap, level, number
from cxrbench.reporting.text_tables import markdown_rows

ROOT = Path(__file__).parents[1]


def tables(folder: Path) -> Iterator[tuple[str, str]]:
    """A title and a table in Markdown, for each question that the page answers from a result set."""
    of_report = folder / "report" / "tables"
    yield "Claims", _claims(pd.read_csv(of_report / "claims.csv", keep_default_na=False))
    changes = pd.read_csv(of_report / "protocol-changes.csv")
    if len(changes):
        yield "What the protocol changes", _changes(changes)
    means = pd.read_csv(of_report / "means.csv")
    black = means[(means["study"] == "black-lungs") & (means["part"] == "test")]
    if len(black):
        yield "Black lungs", _means(black, "setting", ("accuracy", "auc"))
    same = pd.read_csv(of_report / "against-itself.csv")
    if len(same):
        yield "Each setting against itself (A/A)", _against_itself(same)
    yield "What the files alone reach", _shortcuts(read_table(folder / "shortcuts.csv.gz", "shortcuts"))


def _claims(found: pd.DataFrame) -> str:
    statements = {
        one.id: one.statement for paper in papers.load(ROOT / "data/published").values() for one in paper.claims
    }
    rows = []
    for one in found.to_dict("records"):
        chance = f"{_percent(one['false_least'])} to {_percent(one['false_most'])}" if one["false_least"] != "" else "–"
        rows.append([one["study"], statements[one["claim"]], one["figures"], chance, one["verdict"], _decisive(one)])
    heads = [
        "Study",
        "Claim",
        "1. Printed figures",
        "2. False by the paper's n, %",
        "3. Our runs",
        "Decisive difference",
    ]
    return markdown_rows(heads, rows, [3])


def _against_itself(found: pd.DataFrame) -> str:
    everything = found[["settings", "ways", "different"]].sum()
    rows = [*found.itertuples(index=False, name=None), ("all", *everything)]
    cells = [[str(cell) for cell in row] + [f"{100 * row[3] / row[2]:.1f}"] for row in rows]
    heads = ["Study", "Settings", "Halves compared", "Called different", "Share, %"]
    return markdown_rows(heads, cells, range(1, 5))


def _decisive(one: dict) -> str:
    if one["difference"] == "":
        return "–"
    value, low, high = (float(one[name]) for name in ("difference", "low", "high"))
    metric, at = one["metric"], level(float(one["confidence"]))
    if one["rival"]:
        return f"{gap(metric, value)} {gap(metric, low, high)} at {at}"
    unit = " %" if metric in PERCENT else ""
    return f"{number(metric, value)}{unit} [{number(metric, low)} to {number(metric, high)}] at {at}"


def _changes(found: pd.DataFrame) -> str:
    """Of the study that changes nothing but the protocol."""
    rows = []
    for protocol, of_protocol in found[found["study"] == "protocol"].groupby("protocol", sort=False):
        cells = of_protocol.set_index("metric")
        for metric in cells.index:
            one = cells.loc[metric]
            change = (
                f"{gap(metric, one['change'])} {gap(metric, one['low'], one['high'])} at {level(one['confidence'])}"
            )
            means = [number(metric, one[name]) for name in ("mean_under_paper", "mean")]
            rows.append([protocol, metric, *means, change])
    return markdown_rows(["Protocol", "Test metric", "Under paper", "Under it", "Change"], rows, [2, 3])


def _means(found: pd.DataFrame, by: str, metrics: tuple[str, ...]) -> str:
    rows = []
    for name, of_name in found.groupby(by, sort=False):
        stats = of_name.set_index("metric")
        cells = [f"{number(m, stats.loc[m, 'mean'])} ± {number(m, stats.loc[m, 'sd'])}" for m in metrics]
        rows.append([name, str(int(stats["n"].iloc[0])), *cells])
    return markdown_rows([by.capitalize(), "Runs", "Test accuracy, %", "Test AUC"], rows, [1, 2, 3])


def _shortcuts(found: pd.DataFrame) -> str:
    features = list(dict.fromkeys(found["feature"]))
    rows = [
        [cohort, protocol, *(f"{auc:.3f}" for auc in of_split.set_index("feature")["auc"][features])]
        for (cohort, protocol), of_split in found.groupby(["cohort", "protocol"], sort=False)
    ]
    return markdown_rows(["Cohort", "Protocol", *features], rows, range(2, 2 + len(features)))


def _percent(share: str) -> str:
    return f"{100 * float(share):.0f}"


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]] or sorted(one.parent for one in ROOT.glob("results/*/pack.json"))
    for folder in folders:
        print(f"## {folder.name}\n")
        for title, table in tables(folder):
            print(f"### {title}\n\n{table}")


if __name__ == "__main__":
    main()
