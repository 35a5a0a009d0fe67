"""Frames in, frames of the same kind out."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any, Dict, Optional

import numpy as np

from ._trees import pandas


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a result is to look like: the library, and the index of pandas."""

    library: str = "pandas"
    index: Any = None

    @classmethod
    def of(cls, frame: Any) -> "Kind":
        """pandas for what has no kind of its own (arrays, mappings of scalars, other Arrow objects)."""
        module = type(frame).__module__.partition(".")[0].lstrip("_")
        loaded = sys.modules.get("pandas")
        if loaded is not None and isinstance(frame, loaded.DataFrame):
            return cls("pandas", frame.index)
        if module in ("polars", "pyarrow", "duckdb"):
            return cls(module)
        if (
            isinstance(frame, Mapping)
            and frame
            and all(hasattr(values, "__len__") and not isinstance(values, str) for values in frame.values())
        ):
            return cls("mapping")
        if isinstance(frame, (list, tuple)) and frame and isinstance(frame[0], Mapping):
            return cls("mappings")
        if isinstance(frame, np.ndarray) and frame.dtype.names is not None:
            return cls("records")
        return cls()


def frame_of(columns: Dict[str, Any], kind: Optional[Kind] = None) -> Any:
    """A frame of arrays of one length."""
    kind = kind or Kind()
    if kind.library == "polars":
        import polars

        return polars.DataFrame({name: _for_arrow(values) for name, values in columns.items()}, strict=False)
    if kind.library in ("pyarrow", "duckdb"):
        try:
            import pyarrow
        except ImportError:
            return pandas().DataFrame(columns)
        table = pyarrow.table(
            {name: pyarrow.array(_for_arrow(values), from_pandas=True) for name, values in columns.items()}
        )
        if kind.library == "pyarrow":
            return table
        import duckdb

        return duckdb.from_arrow(table)
    if kind.library == "mapping":
        return dict(columns)
    if kind.library == "mappings":
        rows = zip(*(np.asarray(values).tolist() for values in columns.values()))
        return [dict(zip(columns, row)) for row in rows]
    if kind.library == "records":
        dtype = [(name, np.asarray(values).dtype) for name, values in columns.items()]
        records = np.empty(len(next(iter(columns.values()), ())), dtype=dtype)
        for name, values in columns.items():
            records[name] = values
        return records
    index = kind.index
    if index is not None and columns and len(index) != len(next(iter(columns.values()))):
        index = None
    if index is not None:  # pandas takes a name of both an index and a column for neither
        columns = {name: values for name, values in columns.items() if name not in index.names}
    return pandas().DataFrame(columns, index=index)


def _for_arrow(values: Any) -> Any:
    array = np.asarray(values)
    return array.tolist() if array.dtype.kind == "O" else array
