"""`covey drift`."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import click
import numpy as np

from .options import common, filled, reading, terminal


@click.command("drift")
@click.argument("before")
@click.argument("after")
@click.option(
    "--limit",
    type=click.FloatRange(min=0),
    default=0.25,
    show_default=True,
    help="A column whose index is larger has drifted.",
)
@click.option("--bins", type=click.IntRange(2, 100), default=10, show_default=True, help="Of a numeric column.")
@click.option("--leave-out", multiple=True, metavar="COLUMN")
@reading
@common
def drift_command(before: str, after: str, limit: float, bins: int, leave_out: Any, **values: Any) -> Any:
    """Compares two tables, column by column: features, embeddings or scores of two times.

    The figure is the population stability index over the deciles of BEFORE, or over the categories: below 0.1 little,
    above 0.25 much. Missing values are a bin of their own. Exit code 3 where a column has drifted.

    \b
    Examples:
        covey drift january.parquet june.parquet
        covey drift case/scores.parquet scores-today.parquet --json
    """
    speaker = terminal(values)
    old, new = filled(before, "before", values["form"]), filled(after, "after", values["form"])
    both = [name for name in old.column_names if name in new.column_names and name not in leave_out]
    if not both:
        raise click.ClickException(f"the tables have no column in common: {old.column_names} and {new.column_names}")
    figures: List[Dict[str, Any]] = []
    for name in both:
        one, other = old.column(name), new.column(name)
        index = stability(one, other, bins)
        if index is None:
            speaker.say(f"! {name} is left out: it names the rows, or its types differ")
            continue
        figures.append(
            {
                "column": name,
                "index": index,
                "missing_before": one.null_count / len(one),
                "missing_after": other.null_count / len(other),
                "drifted": index > limit,
            }
        )
    figures.sort(key=lambda figure: -figure["index"])
    rows = [
        (f["column"], f["index"], f["missing_before"], f["missing_after"], "yes" if f["drifted"] else "")
        for f in figures
    ]
    speaker.table("Drift", ("column", "index", "missing before", "missing after", "drifted"), rows)
    only = {
        "only_before": sorted(set(old.column_names) - set(new.column_names)),
        "only_after": sorted(set(new.column_names) - set(old.column_names)),
    }
    drifted = [figure["column"] for figure in figures if figure["drifted"]]
    speaker.result(
        f"{len(drifted)} of {len(figures)} columns have drifted",
        {"columns": figures, "drifted": drifted, "limit": limit, **only},
    )
    return 3 if drifted else 0


def stability(one: Any, other: Any, bins: int) -> Optional[float]:
    """The population stability index of two Arrow columns; None if there is none. Half a row is added to each bin,
    so that empty ones do not make it infinite."""
    import pyarrow as pa

    def numeric(kind: Any) -> bool:
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))

    if numeric(one.type) and numeric(other.type):
        first, second = (np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64) for column in (one, other))
        present = first[np.isfinite(first)]
        if not len(present):
            return None
        edges = np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1]))
        counts = [_bins(values, edges) for values in (first, second)]
        return _index(*counts)
    if numeric(one.type) or numeric(other.type):
        return None
    try:
        first_text, second_text = (
            np.asarray(["" if v is None else f"={v}" for v in column.to_pylist()]) for column in (one, other)
        )
    except (TypeError, ValueError):
        return None
    names, codes = np.unique(np.concatenate([first_text, second_text]), return_inverse=True)
    if len(names) > max(50, len(codes) // 2):
        return None
    return _index(
        *(np.bincount(part, minlength=len(names)) for part in (codes[: len(first_text)], codes[len(first_text) :]))
    )


def _bins(values: Any, edges: Any) -> Any:
    finite = np.isfinite(values)
    counts = np.bincount(np.searchsorted(edges, values[finite], side="right"), minlength=len(edges) + 1)
    return np.append(counts, np.sum(~finite))


def _index(first: Any, second: Any) -> float:
    kept = first + second > 0
    p, q = ((counts[kept] + 0.5) / (counts[kept] + 0.5).sum() for counts in (first, second))
    return float(np.sum((q - p) * np.log(q / p)))
