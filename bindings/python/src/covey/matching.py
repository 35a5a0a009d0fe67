"""Clusters of a refit matched to those before it: ids that stay, and what has become of every cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ._html import Shown
from ._arguments import checked
from ._arrays import as_array, contiguous
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError


@dataclass(frozen=True)
class ClusterMatches(Shown):
    """What :func:`match_clusters` found. Clusters are named by their ids.

    Attributes:
        ids: the id of each new cluster, by its label.
        labels: the new rows' ids; -1 = noise.
        next_id: the first id that was never given.
        born: ids of clusters that come from none.
        died: old ids of clusters that nothing comes from.
        grown, shrunk: ids of clusters that go on with more or fewer rows: {id: (rows before, rows now)}.
        merged: {id: old ids}: most rows of each of these, two at the least, are in it now.
        split: {old id: ids}: most of the earlier rows of each of these, two at the least, come from it.
        moved: new rows that were there before and have another id now, noise counted as one; row numbers, ascending.
        overlap: of each new cluster, the share of rows that it has in common with the old one of its id (Jaccard, over
            the rows that both have); 0 if the id is new.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    next_id: int
    born: list[int]
    died: list[int]
    grown: dict[int, tuple[int, int]]
    shrunk: dict[int, tuple[int, int]]
    merged: dict[int, list[int]]
    split: dict[int, list[int]]
    moved: NDArray[np.int64]
    overlap: NDArray[np.float64]


@checked
def match_clusters(
    old: Any, new: Any, *, old_keys: Any = None, new_keys: Any = None, previous: Optional[ClusterMatches] = None
) -> ClusterMatches:
    """Gives the clusters of a refit the ids of the earlier ones, and says which were born, grew, merged, split or died.

    Example::

        matches = covey.match_clusters(clusterer.labels_, clusterer.labels_)
        matches.labels  # the new labels with the old ids

    Args:
        old, new: fitted :class:`covey.HDBSCAN` objects, or labels (-1 = noise).
        old_keys, new_keys: what a row is, each once, where the two have not the same rows in the same order; the
            clusterers' own ``keys_`` are taken where both have them. Without keys, the first rows are the same.
        previous: what matched old to the one before it, so that its ids go on; None = the ids are old's labels.

    An old and a new cluster may go on as one if the rows they share are more than half of either's rows that both
    clusterings have. Pairs are taken by the largest Jaccard share, then by most rows; of equal ones, the lower numbers.
    O(n log n). Errors: INVALID_ARGUMENT, INVALID_DATA (a key twice).
    """
    before, after = _labels(old, "old"), _labels(new, "new")
    if previous is not None and not isinstance(previous, ClusterMatches):
        raise InvalidTypeError(f"previous must be ClusterMatches or None, got {type(previous).__name__}")
    if previous is not None and len(previous.ids) != before.max(initial=-1) + 1:
        raise InvalidArgumentError(
            f"previous must be of old, with {before.max(initial=-1) + 1} clusters, got {len(previous.ids)}"
        )
    old_ids = np.arange(before.max(initial=-1) + 1) if previous is None else previous.ids
    next_id = int(old_ids.max(initial=-1)) + 1 if previous is None else previous.next_id
    first, second = _same_rows(old, new, old_keys, new_keys, len(before), len(after))
    pairs = _Pairs(before[first], after[second], len(old_ids), int(after.max(initial=-1)) + 1)
    partner, overlap = pairs.matched()
    ids = np.where(partner >= 0, old_ids[partner] if len(old_ids) else -1, -1).astype(np.int64)
    fresh = np.flatnonzero(ids < 0)
    ids[fresh] = next_id + np.arange(len(fresh))
    sizes_before = np.bincount(before[before >= 0], minlength=len(old_ids))
    sizes_after = np.bincount(after[after >= 0], minlength=len(ids))
    going = [
        (int(ids[cluster]), (int(sizes_before[other]), int(sizes_after[cluster])))
        for cluster, other in enumerate(partner.tolist())
        if other >= 0
    ]
    labels, ids_before = _named(after, ids), _named(before, old_ids)
    moved = second[ids_before[first] != labels[second]]
    merged, split = pairs.groups()
    from_some, into_some = pairs.kin()
    return ClusterMatches(
        ids=ids,
        labels=labels,
        next_id=next_id + len(fresh),
        born=[int(ids[cluster]) for cluster in fresh.tolist() if not from_some[cluster]],
        died=[int(old_ids[cluster]) for cluster in np.flatnonzero(~into_some).tolist()],
        grown={name: sizes for name, sizes in going if sizes[1] > sizes[0]},
        shrunk={name: sizes for name, sizes in going if sizes[1] < sizes[0]},
        merged={int(ids[cluster]): sorted(old_ids[list(others)].tolist()) for cluster, others in merged.items()},
        split={int(old_ids[cluster]): sorted(ids[list(others)].tolist()) for cluster, others in split.items()},
        moved=np.sort(moved),
        overlap=overlap,
    )


class _Pairs:
    """Old and new clusters that share rows, over the rows that both clusterings have."""

    def __init__(self, old: NDArray[np.int64], new: NDArray[np.int64], old_count: int, new_count: int) -> None:
        self.old_count, self.new_count = old_count, new_count
        both = (old >= 0) & (new >= 0)
        codes, self.shared = np.unique(old[both] * max(new_count, 1) + new[both], return_counts=True)
        self.old, self.new = codes // max(new_count, 1), codes % max(new_count, 1)
        old_rows = np.bincount(old[old >= 0], minlength=old_count)[self.old]
        new_rows = np.bincount(new[new >= 0], minlength=new_count)[self.new]
        self.jaccard = self.shared / (old_rows + new_rows - self.shared)
        self.most_of_old, self.most_of_new = 2 * self.shared > old_rows, 2 * self.shared > new_rows

    def matched(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Of each new cluster the old one that it goes on from, or -1, and their Jaccard share."""
        partner, overlap = np.full(self.new_count, -1, dtype=np.int64), np.zeros(self.new_count)
        taken = np.zeros(self.old_count, dtype=bool)
        for pair in np.lexsort((self.new, self.old, -self.shared, -self.jaccard)).tolist():
            old, new = self.old[pair], self.new[pair]
            if (self.most_of_old[pair] or self.most_of_new[pair]) and partner[new] < 0 and not taken[old]:
                partner[new], overlap[new], taken[old] = old, self.jaccard[pair], True
        return partner, overlap

    def kin(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which new clusters come from an old one, and which old ones something comes from."""
        close = self.most_of_old | self.most_of_new
        new, old = np.zeros(self.new_count, dtype=bool), np.zeros(self.old_count, dtype=bool)
        new[self.new[close]], old[self.old[close]] = True, True
        return new, old

    def groups(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """New clusters with most rows of several old ones, and old ones that are most rows of several new ones."""
        merged: dict[int, list[int]] = {}
        split: dict[int, list[int]] = {}
        pairs = zip(self.old.tolist(), self.new.tolist(), self.most_of_old.tolist(), self.most_of_new.tolist())
        for old, new, is_most_of_old, is_most_of_new in pairs:
            if is_most_of_old:
                merged.setdefault(new, []).append(old)
            if is_most_of_new:
                split.setdefault(old, []).append(new)
        several = [{key: found for key, found in groups.items() if len(found) > 1} for groups in (merged, split)]
        return several[0], several[1]


def _labels(clusters: Any, name: str) -> NDArray[np.int64]:
    from .clustering import HDBSCAN  # which imports scikit-learn

    if isinstance(clusters, HDBSCAN):
        return clusters.labels_
    labels = contiguous(clusters, name, np.int64)
    if labels.ndim != 1:
        raise InvalidArgumentError(f"{name} must be a fitted HDBSCAN or labels, one a row, got shape {labels.shape}")
    if len(labels) and (labels.min() < -1 or labels.max() >= len(labels)):
        raise InvalidArgumentError(f"{name} must have labels from -1 to its number of clusters")
    return labels


def _same_rows(
    old: Any, new: Any, old_keys: Any, new_keys: Any, old_count: int, new_count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers in old and in new of the rows that both have."""
    own = (getattr(old, "keys_", None), getattr(new, "keys_", None))
    if (old_keys is None) != (new_keys is None):
        raise InvalidTypeError("old_keys and new_keys go together: one is missing")
    keys = (old_keys, new_keys) if old_keys is not None else own
    if keys[0] is None or keys[1] is None:
        rows = np.arange(min(old_count, new_count))
        return rows, rows
    places: list[dict[Any, int]] = []
    for values, count, name in ((keys[0], old_count, "old_keys"), (keys[1], new_count, "new_keys")):
        listed = as_array(values, name).tolist()
        if not isinstance(listed, list) or any(isinstance(key, list) for key in listed):
            raise InvalidTypeError(f"{name} must have 1 dimension")
        if len(listed) != count:
            raise InvalidArgumentError(f"{name} must have {count} values, one a row, got {len(listed)}")
        places.append({key: row for row, key in enumerate(listed)})
        if len(places[-1]) < count:
            raise InvalidDataError(f"{name} must name each row once: {count - len(places[-1])} are there again")
    shared = [(row, places[0][key]) for key, row in places[1].items() if key in places[0]]
    found = np.array(shared, dtype=np.int64).reshape(-1, 2)
    return found[:, 1], found[:, 0]


def _named(labels: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    result = np.full(len(labels), -1, dtype=np.int64)
    inside = labels >= 0
    result[inside] = ids[labels[inside]]
    return result
