"""The trees of a clustering as objects with hdbscan's methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import UnsupportedError

#: covey_edge, covey_merge and covey_condensed_edge; the last has hdbscan's field names.
EDGE = np.dtype([("from", np.int64), ("to", np.int64), ("distance", np.float64)])
MERGE = np.dtype([("left", np.int64), ("right", np.int64), ("distance", np.float64), ("size", np.int64)])
CONDENSED = np.dtype(
    [("parent", np.int64), ("child", np.int64), ("lambda_val", np.float64), ("child_size", np.int64)]
)


def pandas() -> Any:
    """The pandas module, which is optional."""
    try:
        import pandas
    except ImportError:
        raise UnsupportedError("this needs pandas, which is not installed") from None
    return pandas


class CondensedTree:
    """Who leaves whom at which lambda = 1 / distance. Rows are 0..n-1, clusters n (the root) and above."""

    def __init__(self, records: NDArray[Any], selected: NDArray[np.int64]) -> None:
        self._raw_tree = records
        self._selected = selected

    def to_numpy(self) -> Any:
        """A record array: parent, child, lambda_val, child_size."""
        return self._raw_tree.copy().view(np.recarray)

    def to_pandas(self) -> Any:
        """The same as a DataFrame."""
        return pandas().DataFrame(self._raw_tree)

    @property
    def selected_nodes(self) -> NDArray[np.int64]:
        """The node that each cluster is, by label."""
        return self._selected.copy()

    def __len__(self) -> int:
        return len(self._raw_tree)

    def __repr__(self) -> str:
        return f"CondensedTree({len(self)} edges)"


class SingleLinkageTree:
    """The merges, as scipy's linkage matrix."""

    def __init__(self, records: NDArray[Any]) -> None:
        self._records = records

    def to_numpy(self) -> NDArray[np.float64]:
        """(n - 1) x 4 float64: left, right, distance, size; node n + i is merge i."""
        return _columns(self._records)

    def to_pandas(self) -> Any:
        """A DataFrame: parent, left_child, right_child, distance, size."""
        merges = self._records
        first = len(merges) + 1
        return pandas().DataFrame(
            {
                "parent": np.arange(first, first + len(merges)),
                "left_child": merges["left"],
                "right_child": merges["right"],
                "distance": merges["distance"],
                "size": merges["size"],
            }
        )

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"SingleLinkageTree({len(self)} merges)"


class MinimumSpanningTree:
    """The minimum spanning tree of mutual reachability, by ascending distance."""

    def __init__(self, records: NDArray[Any]) -> None:
        self._records = records

    def to_numpy(self) -> NDArray[np.float64]:
        """(n - 1) x 3 float64: from, to, distance."""
        return _columns(self._records)

    def to_pandas(self) -> Any:
        """A DataFrame: from, to, distance."""
        return pandas().DataFrame(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"MinimumSpanningTree({len(self)} edges)"


def _columns(records: NDArray[Any]) -> NDArray[np.float64]:
    result = np.empty((len(records), len(records.dtype.names or ())), dtype=np.float64)
    for index, name in enumerate(records.dtype.names or ()):
        result[:, index] = records[name]
    return result
