"""A clustering handle and its results as arrays, fetched when first asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import UnavailableError
from ._handle import Native
from ._library import call, library
from ._trees import CONDENSED, EDGE, MERGE

_SIZES = {
    "labels": "covey_clustering_rows",
    "probabilities": "covey_clustering_rows",
    "outlier_scores": "covey_clustering_rows",
    "persistence": "covey_clustering_clusters",
    "selected_nodes": "covey_clustering_clusters",
    "spanning_tree": "covey_clustering_edge_count",
    "single_linkage_tree": "covey_clustering_edge_count",
    "condensed_tree": "covey_clustering_condensed_count",
}
_TYPES: dict[str, Any] = {
    "labels": np.int32,
    "selected_nodes": np.int64,
    "spanning_tree": EDGE,
    "single_linkage_tree": MERGE,
    "condensed_tree": CONDENSED,
}


class Clusters:
    """What a clustering came to. Pickles as its arrays; the handle, and with it prediction, stays behind."""

    def __init__(self, native: Native) -> None:
        self._native: Native | None = native
        self._arrays: dict[str, NDArray[Any]] = {}
        self.recall = float(library.covey_clustering_recall(native))
        self.clusters = int(library.covey_clustering_clusters(native))

    def handle(self) -> Native:
        if self._native is None:
            raise UnavailableError("this clustering was pickled or copied, which keeps its arrays only: fit it again")
        return self._native

    def array(self, name: str) -> NDArray[Any]:
        found = self._arrays.get(name)
        if found is None:
            handle = self.handle()
            count = getattr(library, _SIZES[name])(handle)
            found = np.empty(count, dtype=_TYPES.get(name, np.float64))
            call(f"covey_clustering_{name}", handle, found.ctypes.data, count)
            self._arrays[name] = found
        return found

    def all_merges(self) -> NDArray[Any]:
        """The single-linkage tree with the rows that were not used, merged last at an infinite distance as in hdbscan."""
        merges = self.array("single_linkage_tree")
        rows = len(self.array("labels"))
        if len(merges) >= rows - 1:
            return merges
        nodes = np.concatenate([merges["left"], merges["right"]])
        # A tree without merges has at most one row that was used, and no edge of it.
        used = nodes[nodes < rows] if len(merges) else np.setdiff1d(np.arange(rows), self.array("condensed_tree")["child"])
        missing = np.setdiff1d(np.arange(rows), used)
        if not len(used):
            used, missing = missing[:1], missing[1:]
        added = np.empty(len(missing), dtype=MERGE)
        count = np.arange(len(missing))
        added["left"] = missing
        added["right"] = rows + len(merges) + count - 1
        if not len(merges):
            added["right"][0] = used[0]
        added["distance"] = np.inf
        added["size"] = len(used) + 1 + count
        return np.concatenate([merges, added])

    def exemplars(self, cluster: int) -> NDArray[np.int64]:
        """Row numbers of a cluster's exemplars, ascending."""
        handle = self.handle()
        rows = np.empty(library.covey_clustering_exemplar_count(handle, cluster), dtype=np.int64)
        call("covey_clustering_exemplars", handle, cluster, rows.ctypes.data, len(rows))
        return rows

    def __getstate__(self) -> dict[str, Any]:
        for name in _SIZES:
            self.array(name)
        return {**self.__dict__, "_native": None}
