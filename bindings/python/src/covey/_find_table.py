"""Columns of features that are made usable, or left out, before the road begins; each is told."""

from __future__ import annotations

import ctypes
from typing import Any, List, Optional

import numpy as np
from numpy.typing import NDArray

from ._findings import Finding
from ._column import BOOLEAN, CATEGORICAL, NUMERIC
from ._table import Table

#: Of a categorical column; each is a column of the clustered rows.
MOST_CATEGORIES = 100


def describe_columns(table: Table) -> List[Finding]:
    """Leaves columns out that name the rows, and rare categories; tells of both, and of numbers that look like
    names."""
    findings: List[Finding] = []
    left_out: List[str] = []
    for index, label in enumerate(table.names):
        struct = table.column(index)
        if struct.kind == CATEGORICAL:
            codes = _values(struct, table.rows, np.dtype(np.int32))
            counts = np.bincount(codes[codes >= 0], minlength=1)
            present = int(np.sum(counts > 0))
            if present > max(50, table.rows // 2):
                left_out.append(label)
                findings.append(
                    Finding(
                        "identifier",
                        f"features[{label!r}] has {present} different values in {table.rows} rows: it names the rows"
                        " rather than describing them, and is left out",
                        "if it says something about them, give that as a column (a count, a kind, an age)",
                        label,
                    )
                )
            elif present > MOST_CATEGORIES:
                kept = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
                table.keep_categories(index, np.sort(kept))
                share = counts[kept].sum() / max(1, counts.sum())
                findings.append(
                    Finding(
                        "many_categories",
                        f"features[{label!r}] has {present} categories; the {MOST_CATEGORIES} most frequent ones,"
                        f" {share:.1%} of the rows, count, the others are missing",
                        "group them, if the rare ones matter",
                        label,
                    )
                )
        elif struct.kind == NUMERIC and table.rows >= 50:
            numbers = _values(struct, table.rows, np.dtype(np.float64))
            if np.all(np.isfinite(numbers)) and np.all(numbers == np.floor(numbers)):
                if len(np.unique(numbers)) == table.rows:
                    findings.append(
                        Finding(
                            "identifier",
                            f"features[{label!r}] is a different whole number in each row, and is used as a number",
                            "leave it out, or name it as key=, if it only numbers the rows",
                            label,
                        )
                    )
    if left_out:
        table.leave_out(left_out)
    return findings


def limit_categories(table: Table, most: Optional[int]) -> List[Finding]:
    """Keeps the `most` most frequent categories of each column; the others count as not seen. None = all are kept, and
    columns of very many are named."""
    findings: List[Finding] = []
    for index, label in enumerate(table.names):
        struct = table.column(index)
        if struct.kind != CATEGORICAL or struct.category_count <= (MOST_CATEGORIES if most is None else most):
            continue
        codes = _values(struct, table.rows, np.dtype(np.int32))
        counts = np.bincount(codes[codes >= 0], minlength=struct.category_count)
        present = int(np.sum(counts > 0))
        if most is not None:
            kept = np.argsort(-counts, kind="stable")[:most]
            table.keep_categories(index, np.sort(kept[counts[kept] > 0]))
        elif present > MOST_CATEGORIES:
            size = 4 * present * table.rows / 1e6
            named = present > max(50, table.rows // 2)
            findings.append(
                Finding(
                    "identifier" if named else "many_categories",
                    f"features[{label!r}] has {present} different values in {table.rows} rows, each a column of its own"
                    f" ({size:.0f} MB)" + (": it names the rows rather than describing them" if named else ""),
                    "leave it out, or name it as key=" if named else "max_categories=100 keeps the most frequent ones",
                    label,
                )
            )
    return findings


def leave_out_labels(table: Table, fraud: NDArray[np.int8]) -> List[Finding]:
    """Leaves out columns that are the labels themselves, with what is not known missing: they were handed over
    twice."""
    known = np.where(fraud < 0, np.nan, fraud.astype(np.float64))
    findings: List[Finding] = []
    for index, label in enumerate(table.names):
        struct = table.column(index)
        if struct.kind == NUMERIC:
            values = _values(struct, table.rows, np.dtype(np.float64))
        elif struct.kind == BOOLEAN:
            codes = _values(struct, table.rows, np.dtype(np.int8)).astype(np.float64)
            values = np.where(codes < 0, np.nan, codes)
        else:
            continue
        if np.isnan(known).any() and np.array_equal(values, known, equal_nan=True):
            text = f"features[{label!r}] is `fraud` itself, and is left out"
            findings.append(
                Finding("feature_gives_label_away", text, f"pass fraud={label!r}, or features without it", label)
            )
    table.leave_out([str(finding.column) for finding in findings])
    return findings


def _values(struct: Any, rows: int, dtype: "np.dtype[Any]") -> NDArray[Any]:
    """A column's values where they stand."""
    if not rows:
        return np.empty(0, dtype=dtype)
    step = struct.stride or dtype.itemsize
    memory: Any = (ctypes.c_char * (step * (rows - 1) + dtype.itemsize)).from_address(struct.values)
    return np.ndarray(rows, dtype=dtype, buffer=memory, strides=(step,))
