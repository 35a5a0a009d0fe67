"""A clustering handle and its results as arrays, fetched when first asked for."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arrays import contiguous, path_bytes
from ._files import file_bytes, read_bytes
from ._handle import Native
from ._library import call, library
from ._trees import CONDENSED, EDGE, MERGE
from ._weights import weights_of
from .context import Context, running

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
    """What a clustering came to. Immutable: copies share it. Pickles as the bytes of its file."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self._arrays: dict[str, NDArray[Any]] = {}
        self.recall = float(library.covey_clustering_recall(native))
        self.clusters = int(library.covey_clustering_clusters(native))

    def handle(self) -> Native:
        return self._native

    def array(self, name: str) -> NDArray[Any]:
        found = self._arrays.get(name)
        if found is None:
            handle = self.handle()
            count = getattr(library, _SIZES[name])(handle)
            found = np.empty(count, dtype=_TYPES.get(name, np.float64))
            call(f"covey_clustering_{name}", handle, found.ctypes.data, count)
            found.flags.writeable = False
            self._arrays[name] = found
        return found

    def weights(self) -> NDArray[np.int64]:
        """How many rows each row stands for."""
        return weights_of(self.array("condensed_tree"), len(self.array("labels")))

    def all_merges(self) -> NDArray[Any]:
        """The single-linkage tree with the rows that were not used, merged last at an infinite distance as in
        hdbscan."""
        merges = self.array("single_linkage_tree")
        rows = len(self.array("labels"))
        if len(merges) >= rows - 1:
            return merges
        nodes = np.concatenate([merges["left"], merges["right"]])
        # A tree without merges has at most one row that was used, and no edge of it.
        tree = self.array("condensed_tree")
        left_out = tree["child"][tree["lambda_val"] == 0]
        used = nodes[nodes < rows] if len(merges) else np.setdiff1d(np.arange(rows), left_out)
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
        weights = self.weights()
        added["size"] = weights[used].sum() + np.cumsum(weights[missing])
        return np.concatenate([merges, added])

    def exemplars(self, cluster: int) -> NDArray[np.int64]:
        """Row numbers of a cluster's exemplars, ascending."""
        handle = self.handle()
        rows = np.empty(library.covey_clustering_exemplar_count(handle, cluster), dtype=np.int64)
        call("covey_clustering_exemplars", handle, cluster, rows.ctypes.data, len(rows))
        return rows

    def select(self, options: _structs.ClusterOptions, nodes: Any, context: Context | None) -> Clusters:
        """Other clusters on the same tree."""
        pointer = c_void_p()
        chosen = None if nodes is None else contiguous(nodes, "nodes", np.int64)
        with running(context) as native:
            call(
                "covey_clustering_select",
                self._native,
                native,
                byref(options),
                None if chosen is None else _address(chosen),
                0 if chosen is None else len(chosen),
                byref(pointer),
            )
        return Clusters(Native(pointer.value, "covey_clustering_destroy"))

    def sizes(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Where the leaves of the tree change, and how persistent they are there."""
        count = library.covey_clustering_size_count(self._native)
        sizes, persistence = np.empty(count, dtype=np.int64), np.empty(count)
        call("covey_clustering_sizes", self._native, _address(sizes), _address(persistence), count)
        return sizes, persistence

    def columns(self) -> int:
        return int(library.covey_clustering_columns(self._native))

    def cut(self, distance: float, min_cluster_size: int) -> NDArray[np.int64]:
        """The labels of a cut through the single-linkage tree."""
        labels = np.empty(len(self.array("labels")), dtype=np.int32)
        with running(None) as native:
            call(
                "covey_clustering_cut", self._native, native, distance, min_cluster_size, _address(labels), len(labels)
            )
        return labels.astype(np.int64)

    def save(self, path: Any, context: Context | None) -> None:
        with running(context) as native:
            call("covey_clustering_save", self._native, native, path_bytes(path))

    @staticmethod
    def load(path: Any, context: Context | None) -> Clusters:
        pointer = c_void_p()
        with running(context) as native:
            call("covey_clustering_load", native, path_bytes(path), byref(pointer))
        return Clusters(Native(pointer.value, "covey_clustering_destroy"))

    def options(self) -> _structs.ClusterOptions:
        """What it was made with, with the min_samples that it came to."""
        found = _structs.ClusterOptions()
        call("covey_clustering_options", self._native, byref(found))
        return found

    def rows(self) -> NDArray[np.float64]:
        """The rows that were clustered, those without holes alone; there with prediction data only."""
        shape = (self.array("labels").shape[0], self.columns())
        rows = np.empty(shape, dtype=np.float64)
        call("covey_clustering_fitted_rows", self._native, _address(rows), rows.size)
        return rows

    def __copy__(self) -> Clusters:
        return self

    def __deepcopy__(self, memo: Any) -> Clusters:
        return self

    def __reduce__(self) -> Any:
        return _read, (file_bytes("covey_clustering_write", self._native),)


def _read(data: bytes) -> Clusters:
    return Clusters(read_bytes("covey_clustering_read", data, "covey_clustering_destroy"))


def _address(array: NDArray[Any]) -> int:
    return array.ctypes.data
