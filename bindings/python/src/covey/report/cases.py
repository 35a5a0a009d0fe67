"""The rows that are shown: exemplars that cover a group, uncertain members, ordinary ones; the map; what a threshold
would catch."""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from .._findings import DataWarning
from .profile import Paths
from .source import Group, Source

Numbers = NDArray[np.float64]
#: Members of a group among which exemplars are chosen, and rows of the map.
MOST_MEMBERS = 400
MOST_ORDINARY = 700


def spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of the rows, evenly spaced: the same ones in each run."""
    if len(rows) <= most:
        return rows
    chosen: NDArray[np.int64] = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    return chosen


class Space:
    """Where chosen rows lie: embeddings and features, each block standardised and of equal weight."""

    def __init__(self, source: Source, rows: NDArray[np.int64]) -> None:
        self.rows = rows
        self.place = {int(row): index for index, row in enumerate(rows)}
        blocks = []
        encoder = None if source.engine is None else source.engine.encoder
        if encoder is not None and source.sequences is not None and len(rows):
            blocks.append(np.asarray(encoder.embed(source.sequences[rows]), dtype=np.float64))
        columns = [_numbers(column.values[rows], column.kind, len(column.categories)) for column in source.columns]
        if columns:
            blocks.append(np.concatenate(columns, axis=1))
        scaled = [_scaled(block) for block in blocks if block.shape[1]]
        self.points = np.concatenate(scaled, axis=1) if scaled else np.zeros((len(rows), 1))

    def of(self, rows: NDArray[np.int64]) -> Numbers:
        found: Numbers = self.points[[self.place[int(row)] for row in rows]]
        return found

    def plane(self) -> Tuple[Numbers, float]:
        """Two principal components, and the share of the variance that they show."""
        centred = self.points - self.points.mean(axis=0) if len(self.points) else self.points
        if len(centred) < 3 or centred.shape[1] < 2 or not np.any(centred):
            flat = np.zeros((len(centred), 2))
            flat[:, : min(2, centred.shape[1])] = centred[:, :2]
            return flat, 1.0
        _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
        signs = np.sign(axes[:2][np.arange(2), np.abs(axes[:2]).argmax(axis=1)])
        return centred @ (axes[:2] * signs[:, None]).T, float(np.sum(sizes[:2] ** 2) / np.sum(sizes**2))


def _numbers(values: NDArray[Any], kind: str, categories: int) -> Numbers:
    if kind == "categorical":
        coded: Numbers = (values[:, None] == np.arange(categories)[None, :]).astype(np.float64)
        return coded
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros((len(values), 1))
    low, middle, high = np.quantile(present, [0.25, 0.5, 0.75])
    width = (high - low) or float(np.std(present)) or 1.0
    scaled: Numbers = np.clip((np.where(np.isnan(values), middle, values) - middle) / width, -3, 3)[:, None]
    return scaled


def _scaled(block: Numbers) -> Numbers:
    deviation = block.std(axis=0)
    total = float(np.sqrt(np.sum(deviation**2)))
    scaled: Numbers = (block - block.mean(axis=0)) / (total or 1.0)
    return scaled


def exemplars(points: Numbers, most: int) -> List[int]:
    """Rows that best stand for all: each next one takes most from the distances to the nearest chosen one (greedy
    facility location, within 1 - 1/e of the best set). O(most n^2)."""
    if not len(points):
        return []
    squares = np.sum(points**2, axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * points @ points.T, 0))
    nearest = np.full(len(points), distances.max() + 1.0)
    chosen: List[int] = []
    for _ in range(min(most, len(points))):
        gains = np.sum(np.maximum(nearest[:, None] - distances, 0), axis=0)
        gains[chosen] = -1
        best = int(np.argmax(gains))
        if chosen and gains[best] <= 1e-9:
            break
        chosen.append(best)
        nearest = np.minimum(nearest, distances[:, best])
    return chosen


def session(source: Source, paths: Paths, row: int, role: str, most_events: int) -> Dict[str, Any]:
    """One row as it is shown: its last events, with the attention of the encoder if there is one."""
    types, since, places = paths.session(row)
    weights: Optional[NDArray[Any]] = None
    encoder = None if source.engine is None else source.engine.encoder
    if encoder is not None and source.sequences is not None and types:
        given = encoder.attention(source.sequences[np.array([row])])[0]
        weights = given[places - int(paths.offsets[row])]
    first = max(0, len(types) - most_events)
    events = [
        {
            "type": kind,
            "seconds": round(second, 3),
            "attention": None if weights is None else round(float(weights[index]), 4),
        }
        for index, (kind, second) in enumerate(zip(types, since))
        if index >= first
    ]
    return {**case(source, row), "role": role, "events": events, "events_left_out": first}


def case(source: Source, row: int) -> Dict[str, Any]:
    """A row's own figures."""
    known = source.known[row]
    return {
        "row": int(row),
        "key": source.key(row),
        "score": float(source.scores[row]),
        "group": int(source.row_groups[row]),
        "known": None if np.isnan(known) else bool(known),
        "amount": None if source.amounts is None else float(source.amounts[row]),
        "time": None if source.times is None else float(source.times[row]),
    }


#: Shares of a session's events at which it is scored, and members that are.
EARLY = (0.25, 0.5, 0.75, 1.0)
MOST_EARLY = 24


def early(source: Source, group: Group, features: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """The median risk of members when a share of their events is seen, by the engine: of members whose outcome is not
    known, as the engine knows the others. Their features are those at the end. None if there is nothing to score."""
    engine, sequences = source.engine, source.sequences
    if engine is None or engine.encoder is None or sequences is None:
        return None
    members = group.members[np.isnan(source.known[group.members])]
    members = spread(members[sequences.lengths[members] >= 4], MOST_EARLY)
    if not len(members):
        return None
    batch = sequences[members]
    batch.keys = None
    table = {name: values[members] for name, values in features.items()} or None
    order = np.lexsort((batch.times, np.repeat(np.arange(len(batch)), batch.lengths)))
    found = []
    for share in EARLY:
        counts = np.ceil(batch.lengths * share).astype(np.int64)
        offsets = np.concatenate(([0], np.cumsum(counts)))
        kept = np.repeat(batch.offsets[:-1] - offsets[:-1], counts) + np.arange(offsets[-1])
        with warnings.catch_warnings():
            # Sessions that end early differ from those that the engine knows, as they must.
            warnings.simplefilter("ignore", DataWarning)
            risk = engine.score(batch._gather(order[kept], offsets), table).risk
        found.append({"seen": share, "risk": float(np.median(risk))})
    return {"members": int(len(members)), "points": found}


def timeline(source: Source, group: Group, most: int = 48) -> Optional[Dict[str, Any]]:
    """Members over the time of the data, in equal bins: fraud, legitimate and unknown."""
    if source.times is None or not source.rows:
        return None
    first, last = float(source.times.min()), float(source.times.max())
    if not last > first:
        return None
    bins = np.minimum((source.times[group.members] - first) / (last - first) * most, most - 1).astype(np.int64)
    known = source.known[group.members]
    parts = {"fraud": known == 1, "legitimate": known == 0, "unknown": np.isnan(known)}
    counts = {name: np.bincount(bins[chosen], minlength=most).tolist() for name, chosen in parts.items()}
    return {"first": first, "last": last, "bin_seconds": (last - first) / most, **counts}


def curve(source: Source, rows: NDArray[np.int64], most: int = 40) -> Dict[str, Any]:
    """What a threshold on the score catches among these rows: known fraud, false alarms among the known legitimate, and
    rows that nothing is known of, as counts and as money; from the highest threshold down."""
    order = rows[np.argsort(-source.scores[rows], kind="stable")]
    scores = source.scores[order]
    known = source.known[order]
    ends = np.append(np.flatnonzero(np.diff(scores)), len(order) - 1) if len(order) else np.zeros(0, dtype=np.int64)
    if len(ends) > most:  # evenly on a logarithmic scale: what matters is where few rows are looked at
        wanted = np.unique(np.geomspace(1, len(order), most).astype(np.int64)) - 1
        ends = np.unique(ends[np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)])
    money = np.zeros(len(order)) if source.amounts is None else source.amounts[order]
    fraud, legitimate = known == 1, known == 0
    caught, alarms = np.cumsum(fraud), np.cumsum(legitimate)
    caught_money, alarm_money = np.cumsum(money * fraud), np.cumsum(money * legitimate)
    points = [
        {
            "threshold": float(scores[end]),
            "rows": int(end) + 1,
            "caught": int(caught[end]),
            "false_alarms": int(alarms[end]),
            "unknown": int(end) + 1 - int(caught[end]) - int(alarms[end]),
            "caught_amount": float(caught_money[end]),
            "false_alarm_amount": float(alarm_money[end]),
        }
        for end in ends.tolist()
    ]
    return {"fraud": int(fraud.sum()), "legitimate": int(legitimate.sum()), "rows": int(len(order)), "points": points}
