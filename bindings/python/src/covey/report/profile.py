"""What sets a group apart from the ordinary rows (those in no group): features, events and timings, shared values."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from .._arrays import _is_missing, as_array
from .._errors import InvalidArgumentError
from .._event_frames import EventFrame
from .source import FeatureColumn, Group, Source
from .statistics import cliffs_delta, critical_value, delta_interval, quartiles, share_difference

Numbers = NDArray[np.float64]
#: A category, an event or a pair of events is looked at where so many members have it.
FEWEST = 2
MOST_TYPES = 64


@dataclasses.dataclass(frozen=True)
class Measure:
    """A number of each row, and the ordinary rows' in order."""

    name: str
    kind: str
    values: Numbers
    ordinary: Numbers
    ordinary_quartiles: Optional[Tuple[float, float, float]]
    ordinary_missing: int


class Contrast:
    """Compares groups with the ordinary rows; what the ordinary rows have is counted once."""

    def __init__(self, source: Source, confidence: float, links: List[str]) -> None:
        self.source = source
        self.confidence = confidence
        ordinary = source.row_groups < 0
        if not ordinary.any():  # every row is in a cluster
            ordinary = np.ones(source.rows, dtype=bool)
        self.ordinary = np.flatnonzero(ordinary)
        self.measures = [
            _measure(column.name, "feature", column.values, self.ordinary)
            for column in source.columns
            if column.kind == "numeric"
        ]
        self.categories = [Choice(column, self.ordinary) for column in source.columns if column.kind != "numeric"]
        self.paths = (
            None if source.sequences is None or not source.sequences.event_count else Paths(source, self.ordinary)
        )
        if self.paths is not None:
            self.measures += self.paths.measures(self.ordinary)
        self.links = [Link(source, name) for name in links]
        options = sum(len(column.names) for column in self.categories)
        self.comparisons = len(self.measures) + options + (0 if self.paths is None else self.paths.options)
        self.z = critical_value(confidence, self.comparisons)

    def profile(self, group: Group) -> Dict[str, Any]:
        """What differs surely: the interval, corrected for all comparisons, does not hold 0. Largest effect first."""
        members = group.members
        numeric = [self._numeric(measure, members) for measure in self.measures]
        shares = [entry for column in self.categories for entry in self._categories(column, members)]
        events = [] if self.paths is None else self._events(self.paths, members)
        return {
            "compared_with": int(len(self.ordinary)),
            "comparisons": self.comparisons,
            "features": _surest([entry for entry in numeric if entry and entry["kind"] == "feature"]),
            "categories": _surest(shares),
            "events": _surest(events),
            "timings": _surest([entry for entry in numeric if entry and entry["kind"] == "timing"]),
            "links": [entry for link in self.links for entry in link.shared(members)],
        }

    def _numeric(self, measure: Measure, members: NDArray[np.int64]) -> Optional[Dict[str, Any]]:
        values = measure.values[members]
        present = values[~np.isnan(values)]
        delta = cliffs_delta(present, measure.ordinary)
        if delta is None:
            return None
        low, high = delta_interval(delta, len(present), len(measure.ordinary), self.z)
        return {
            "name": measure.name,
            "kind": measure.kind,
            "effect": delta,
            "low": low,
            "high": high,
            "quartiles": quartiles(present),
            "ordinary_quartiles": measure.ordinary_quartiles,
            "missing": int(len(values) - len(present)),
            "ordinary_missing": measure.ordinary_missing,
        }

    def _categories(self, column: "Choice", members: NDArray[np.int64]) -> List[Dict[str, Any]]:
        inside = column.counts(members)
        found = []
        for code in np.flatnonzero(inside >= min(FEWEST, len(members))):
            if column.kind == "boolean" and code == 0:
                continue
            entry = self._share(int(inside[code]), len(members), int(column.ordinary[code]), len(self.ordinary))
            found.append({"name": column.name, "value": column.names[code], "kind": column.kind, **entry})
        return found

    def _events(self, paths: "Paths", members: NDArray[np.int64]) -> List[Dict[str, Any]]:
        found = []
        for kind, table, names in (("event", paths.single, paths.names), ("pair", paths.pairs, paths.pair_names)):
            codes, counts = np.unique(table.of(members), return_counts=True)
            for code, count in zip(codes.tolist(), counts.tolist()):
                if count < min(FEWEST, len(members)):
                    continue
                entry = self._share(count, len(members), int(table.ordinary[code]), len(self.ordinary))
                found.append({"name": names(code), "kind": kind, **entry})
        return found

    def _share(self, count: int, size: int, other: int, others: int) -> Dict[str, Any]:
        difference, low, high = share_difference(count, size, other, others, self.z)
        lift = (count / size) / (other / others) if other else None
        return {
            "count": count,
            "size": size,
            "ordinary_count": other,
            "ordinary_size": others,
            "effect": difference,
            "low": low,
            "high": high,
            "lift": lift,
        }


class Choice:
    """A categorical or boolean feature, and how many ordinary rows have each of its values."""

    def __init__(self, column: FeatureColumn, ordinary: NDArray[np.int64]) -> None:
        self.name, self.kind = column.name, column.kind
        self.names = ["false", "true"] if column.kind == "boolean" else column.categories
        values = column.values
        self.codes = np.where(np.isnan(values), -1, values).astype(np.int64) if values.dtype.kind == "f" else values
        self.ordinary = self.counts(ordinary)

    def counts(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of each value among these rows."""
        found: NDArray[np.int64] = np.bincount(self.codes[rows] + 1, minlength=len(self.names) + 1)[1:]
        return found


def _measure(name: str, kind: str, values: Numbers, ordinary: NDArray[np.int64]) -> Measure:
    chosen = values[ordinary]
    present = chosen[~np.isnan(chosen)]
    middle = quartiles(present) if len(present) else None
    return Measure(name, kind, values, np.sort(present), middle, int(len(chosen) - len(present)))


def _surest(entries: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    sure = [entry for entry in entries if entry["low"] > 0 or entry["high"] < 0]
    nearest = {id(entry): min(abs(entry["low"]), abs(entry["high"])) for entry in sure}
    return sorted(sure, key=lambda entry: (-nearest[id(entry)], entry["name"]))


class Occurrences:
    """Which codes occur in which row, each once."""

    def __init__(
        self, rows: NDArray[np.int64], codes: NDArray[np.int64], count: int, size: int, ordinary: NDArray[np.int64]
    ) -> None:
        unique = np.sort(rows * size + codes)  # by sorting: np.unique hashes, which is ten times as slow here
        unique = unique[np.append(True, unique[1:] != unique[:-1])] if len(unique) else unique
        self.codes = unique % size
        self.starts = np.searchsorted(unique // size, np.arange(count + 1))
        self.ordinary = np.bincount(self.of(ordinary), minlength=size)

    def of(self, members: NDArray[np.int64]) -> NDArray[np.int64]:
        """The codes of these rows, one after the other."""
        lengths = self.starts[members + 1] - self.starts[members]
        first = np.repeat(self.starts[members] - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
        found: NDArray[np.int64] = self.codes[first + np.arange(lengths.sum())]
        return found


class Paths:
    """The sessions' events as numbers: the most frequent types by name, all others as one."""

    def __init__(self, source: Source, ordinary: NDArray[np.int64]) -> None:
        sequences = source.sequences
        assert sequences is not None
        start, stop = int(sequences.offsets[0]), int(sequences.offsets[-1])
        codes = sequences._types.codes[start:stop].astype(np.int64)
        given = sequences._types.names
        counts = np.bincount(codes[codes >= 0]) if np.any(codes >= 0) else np.zeros(1, dtype=np.int64)
        kept = np.argsort(-counts, kind="stable")[:MOST_TYPES]
        kept = kept[counts[kept] > 0]
        place = np.full(len(counts) + 1, len(kept), dtype=np.int64)
        place[kept] = np.arange(len(kept))
        vocabulary = (
            None if source.engine is None or source.engine.encoder is None else source.engine.encoder.vocabulary
        )
        self.labels = [_type_name(int(code), given, vocabulary) for code in kept] + ["other"]
        self.width = len(self.labels)
        self.types = place[codes]
        self.offsets = sequences.offsets - start
        self.rows = np.repeat(np.arange(len(sequences)), np.diff(self.offsets))
        times = sequences.times[start:stop]
        self.times = times
        self.dwell = None if sequences.dwell is None else sequences.dwell[start:stop]
        self.order = np.arange(len(times))
        if np.any((np.diff(times) < 0) & (self.rows[1:] == self.rows[:-1])):
            self.order = np.lexsort((times, self.rows))
            self.types, self.times = self.types[self.order], times[self.order]
            self.dwell = None if self.dwell is None else self.dwell[self.order]
        self.single = Occurrences(self.rows, self.types, len(sequences), self.width, ordinary)
        follows = np.flatnonzero(self.rows[1:] == self.rows[:-1])
        pairs = self.types[follows] * self.width + self.types[follows + 1]
        self.pairs = Occurrences(self.rows[follows], pairs, len(sequences), self.width**2, ordinary)
        self.options = int(np.count_nonzero(self.single.ordinary)) + int(np.count_nonzero(self.pairs.ordinary))
        self.gaps = np.full(len(self.types), np.nan)
        self.gaps[follows + 1] = np.diff(self.times)[follows]

    def names(self, code: int) -> str:
        return self.labels[code]

    def pair_names(self, code: int) -> str:
        return f"{self.labels[code // self.width]} → {self.labels[code % self.width]}"

    def measures(self, ordinary: NDArray[np.int64]) -> List[Measure]:
        """Of each session: events, duration, the median gap between events and the median dwell."""
        lengths = np.diff(self.offsets).astype(np.float64)
        filled = np.flatnonzero(lengths > 0)
        duration = np.full(len(lengths), np.nan)
        duration[filled] = self.times[self.offsets[1:][filled] - 1] - self.times[self.offsets[:-1][filled]]
        values = {"events": lengths, "duration": duration, "gap": self._medians(self.gaps)}
        if self.dwell is not None:
            values["dwell"] = self._medians(self.dwell)
        return [_measure(name, "timing", numbers, ordinary) for name, numbers in values.items()]

    def _medians(self, values: Numbers) -> Numbers:
        """Of each row, without missing values; the lower one of two in the middle."""
        present = ~np.isnan(values)
        numbers = values[present]
        counts = np.bincount(self.rows[present], minlength=len(self.offsets) - 1)
        starts = np.cumsum(counts) - counts
        found = np.full(len(counts), np.nan)
        # Rows with as many values are a matrix: sorting many short lines is faster than sorting all values by row.
        by_count = np.argsort(counts, kind="stable")
        sizes, firsts = np.unique(counts[by_count], return_index=True)
        for size, members in zip(sizes.tolist(), np.split(by_count, firsts[1:])):
            if size:
                middle = (size - 1) // 2
                block = numbers[starts[members][:, None] + np.arange(size)]
                found[members] = np.partition(block, middle, axis=1)[:, middle]
        return found

    def session(self, row: int) -> Tuple[List[int], List[float], NDArray[np.int64]]:
        """Types, seconds since the first event and places in the batch, in order of time."""
        span = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        times = self.times[span]
        since = [] if not len(times) else (times - times[0]).tolist()
        return self.types[span].tolist(), since, self.order[span]


def _type_name(code: int, given: Optional[List[str]], vocabulary: Any) -> str:
    if given is not None:
        return given[code]
    if vocabulary is not None and 0 < code < len(vocabulary):
        return str(vocabulary[code])
    return str(code)


class Link:
    """A column whose equal values link rows: a device, an address, a card range."""

    def __init__(self, source: Source, name: str) -> None:
        if source.frame is None:
            raise InvalidArgumentError(f"links names the column {name!r} of features, which are None")
        self.name = name
        values = as_array(EventFrame(source.frame, "features").column(name, "links"), f"features[{name!r}]")
        place: Dict[str, int] = {}
        self.codes = np.array([_code(value, place) for value in values.tolist()], dtype=np.int64)
        self.values = list(place)
        self.counts = np.bincount(self.codes[self.codes >= 0], minlength=len(place))

    def shared(self, members: NDArray[np.int64], most: int = 5) -> List[Dict[str, Any]]:
        """Values that two members or more have, the most shared first, and how many rows outside have them too."""
        codes, counts = np.unique(self.codes[members], return_counts=True)
        found = [
            {
                "column": self.name,
                "value": self.values[code],
                "members": count,
                "outside": int(self.counts[code]) - count,
            }
            for code, count in zip(codes.tolist(), counts.tolist())
            if code >= 0 and count >= 2
        ]
        return sorted(found, key=lambda entry: (-entry["members"], entry["outside"], entry["value"]))[:most]


def _code(value: Any, place: Dict[str, int]) -> int:
    if _is_missing(value) or value == "":
        return -1
    return place.setdefault(str(value), len(place))
