"""What a report is made of: the rows, what is known of them, and the groups that a result or an engine puts them
into."""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
from typing import Any, Dict, List, Optional

import numpy as np
from numpy.typing import NDArray

from .._arrays import contiguous
from .._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from .._event_frames import EventFrame
from .._find_inputs import join_events
from .._find_results import Found
from .._find_table import _values
from .._labels import read_labels
from .._scores import EVIDENCE
from .._column import BOOLEAN, CATEGORICAL, NUMERIC
from .._table import Table, held
from .._times import Times
from ..engine import Engine
from ..sequences import Sequences
from .statistics import critical_value, wilson


@dataclasses.dataclass(frozen=True)
class FeatureColumn:
    """One feature: numbers (booleans are 0 and 1, missing is NaN), or codes of categories (missing is -1)."""

    name: str
    kind: str
    values: NDArray[Any]
    categories: List[str]


@dataclasses.dataclass(frozen=True)
class Group:
    """A group and the figures that the library gives for it; NaN if it gives none."""

    number: int
    members: NDArray[np.int64]
    known: int
    legitimate: int
    unknown: int
    share: float
    share_low: float
    share_high: float
    lift: float
    p_value: float
    of_evidence: bool = False
    sentence: str = ""


@dataclasses.dataclass
class Source:
    """All that a report reads."""

    rows: int
    #: "groups" of `covey.find`, "clusters" of an engine or of a result that knows no fraud.
    kind: str
    groups: List[Group]
    row_groups: NDArray[np.int64]
    scores: NDArray[np.float64]
    known: NDArray[np.float64]
    columns: List[FeatureColumn]
    sequences: Optional[Sequences]
    amounts: Optional[NDArray[np.float64]]
    times: Optional[NDArray[np.float64]]
    keys: Optional[NDArray[Any]]
    key_name: Optional[str]
    engine: Optional[Engine]
    rules: List[Any]
    rule_set: Any
    findings: List[str]
    settings: Dict[str, Any]
    #: The parts of the sum behind the scores in log odds, by name; None if there are none.
    evidence: Optional[Dict[str, NDArray[np.float64]]]
    #: Columns that were left out as they name the rows.
    identifiers: List[str]
    #: The features as they were handed in, for columns that are no features (links).
    frame: Any
    table: Optional[Table]

    def key(self, row: int) -> str:
        return str(row) if self.keys is None else str(self.keys[row])

    def digest(self, purpose: bytes) -> str:
        """32 hexadecimal digits of all rows; for the purpose of masking, digits that the shown ones do not tell."""
        state = hashlib.blake2b(digest_size=16, person=purpose)
        arrays: List[Any] = [self.scores, self.known, self.row_groups, self.amounts, self.times]
        if self.sequences is not None:
            arrays += [self.sequences.offsets, self.sequences._types.codes, self.sequences.times]
        for array in arrays:
            if array is not None:
                state.update(np.ascontiguousarray(array).tobytes())
        for column in self.columns:
            state.update(column.name.encode("utf-8", "surrogatepass"))
            state.update(np.ascontiguousarray(column.values).tobytes())
        if self.keys is not None:
            state.update("\n".join(map(str, self.keys)).encode("utf-8", "surrogatepass"))
        return state.hexdigest()


def read_source(result: Any, given: Dict[str, Any]) -> Source:
    """From a `Found`, with the rows it keeps, or an `Engine`, which scores the rows that are given."""
    if isinstance(result, Found):
        return _of_found(result, given)
    if isinstance(result, Engine):
        return _of_engine(result, given)
    raise InvalidTypeError(f"report needs what covey.find gives, or a covey.Engine, got {type(result).__name__}")


def _of_found(found: Found, given: Dict[str, Any]) -> Source:
    inputs = found._inputs
    rows = len(found.labels)
    table = None if inputs is None else inputs.table
    known = np.full(rows, np.nan) if found._known is None else found._known
    frame = given["features"] if given["features"] is not None else found._features
    if given["features"] is not None:
        frame = held(frame)
        table = Table(frame, kinds=found.engine.features)
    sequences = found.sequences
    if isinstance(given["events"], Sequences):
        sequences = given["events"]
    elif given["events"] is not None:
        key = given["key"] or found.key_name
        columns = found.engine.columns
        encoder = found.engine.encoder
        sequences = join_events(
            given["events"],
            frame,
            key=key,
            time=columns.get("time"),
            event=columns.get("event"),
            dwell=columns.get("dwell"),
            uses_dwell=encoder is not None and encoder.uses_dwell,
        )[0]
    if given["fraud"] is not None:
        known = read_labels(_column(frame, given["fraud"], "fraud"), "fraud", rows)
    amounts = (
        _numbers(frame, given["amount"], "amount", rows) if given["amount"] is not None else found._input("amounts")
    )
    times = _times(frame, given["when"], rows) if given["when"] is not None else found._input("times")
    _same_rows(rows, table, sequences)
    groups = [
        Group(
            number=group.group,
            members=group.members,
            known=group.known,
            legitimate=group.legitimate,
            unknown=group.unknown,
            share=group.share,
            share_low=group.share_low,
            share_high=group.share_high,
            lift=group.lift,
            p_value=group.p_value,
            of_evidence=group.of_evidence,
            sentence=group.text,
        )
        for group in found.groups
    ]
    kind, row_groups = "groups", found.row_groups
    if not groups and not np.any(known == 1):
        kind, row_groups = "clusters", np.asarray(found.labels, dtype=np.int64)
        groups = clusters_of(row_groups, known, found.scores, found.settings)
    return Source(
        rows=rows,
        kind=kind,
        groups=groups,
        row_groups=row_groups,
        scores=found.scores,
        known=known,
        columns=_columns(table),
        sequences=sequences,
        amounts=amounts,
        times=times,
        keys=found.keys,
        key_name=found.key_name,
        engine=found.engine,
        rules=list(found.rules.rules),
        rule_set=found.rules,
        findings=[str(finding) for finding in found.findings],
        settings=found.settings,
        frame=frame,
        table=table,
        evidence=_evidence(found),
        identifiers=[
            finding.column
            for finding in found.findings
            if finding.code == "identifier"
            and finding.column is not None
            and finding.column not in found.engine.features
        ],
    )


def _evidence(found: Found) -> Optional[Dict[str, NDArray[np.float64]]]:
    parts = {part: found.evidence(part) for part in EVIDENCE}
    return parts if any(np.any(values) for values in parts.values()) else None


def _of_engine(engine: Engine, given: Dict[str, Any]) -> Source:
    """The rows that are given, scored; its groups where it came of `covey.find`, otherwise its clusters."""
    frame = None if given["features"] is None else held(given["features"])
    events = given["events"]
    scores = None
    if frame is not None or events is not None:
        scores = engine.score(events, frame, key=given["key"])
    rows = 0 if scores is None else len(scores)
    table = None if frame is None else Table(frame, kinds=engine.features)
    sequences = None
    if events is not None and scores is not None:
        sequences = engine._sequences(events, frame, given["key"], None, None, None)[0]
    known = np.full(rows, np.nan)
    if given["fraud"] is not None:
        known = read_labels(_column(frame, given["fraud"], "fraud"), "fraud", rows)
    risk = np.zeros(0) if scores is None else scores.risk
    row_groups = np.full(rows, -1, dtype=np.int64)
    kind = "clusters"
    if scores is not None and rows:
        if scores[0].evidence is not None:
            kind, row_groups = "groups", np.array([scores[row].group for row in range(rows)], dtype=np.int64)
        else:
            row_groups = np.where(scores.risky, scores.cluster, -1)
    return Source(
        rows=rows,
        kind=kind,
        groups=clusters_of(row_groups, known, risk, {}),
        row_groups=row_groups,
        scores=risk,
        known=known,
        columns=_columns(table),
        sequences=sequences,
        amounts=_numbers(frame, given["amount"], "amount", rows),
        times=_times(frame, given["when"], rows),
        keys=None if scores is None else scores.keys,
        key_name=None if scores is None else scores.key_name,
        engine=engine,
        rules=[],
        rule_set=None,
        findings=[] if scores is None else [str(finding) for finding in scores.findings],
        settings={"rows": engine.rows, "columns": dict(engine.columns)},
        frame=frame,
        table=table,
        evidence=None,
        identifiers=[],
    )


def clusters_of(
    labels: NDArray[np.int64], known: NDArray[np.float64], scores: NDArray[np.float64], settings: Dict[str, Any]
) -> List[Group]:
    """The clusters of a labelling, riskiest first: by the lower end of the share of fraud among labelled rows, then by
    mean score, then by number. Their share is that of labelled rows, with Wilson's interval. O(n log n) for any number
    of clusters."""
    rows = np.flatnonzero(labels >= 0)
    if not len(rows):
        return []
    order = rows[np.argsort(labels[rows], kind="stable")]
    numbers, starts = np.unique(labels[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    z = critical_value(float(settings.get("groups", {}).get("confidence", 0.95)), 1)
    labelled = int(np.sum(~np.isnan(known)))
    base = float(np.nansum(known) / labelled) if labelled else float("nan")
    frauds = np.add.reduceat(known[order] == 1, starts, dtype=np.int64)
    legitimate = np.add.reduceat(known[order] == 0, starts, dtype=np.int64)
    means = np.add.reduceat(scores[order], starts) / (ends - starts)
    lows = np.array([wilson(int(one), int(one + two), z)[0] for one, two in zip(frauds, legitimate)])
    found = []
    for place in np.lexsort((numbers, -means, -lows)):
        counted = int(frauds[place] + legitimate[place])
        low, high = wilson(int(frauds[place]), counted, z)
        share = frauds[place] / counted if counted else float("nan")
        members = order[starts[place] : ends[place]]
        found.append(
            Group(
                number=int(numbers[place]),
                members=members,
                known=int(frauds[place]),
                legitimate=int(legitimate[place]),
                unknown=len(members) - counted,
                share=float(share),
                share_low=low,
                share_high=high,
                lift=float(share / base) if base > 0 else float("nan"),
                p_value=float("nan"),
            )
        )
    return found


def _same_rows(rows: int, table: Optional[Table], sequences: Optional[Sequences]) -> None:
    if table is not None and table.rows != rows:
        raise MismatchError(f"features has {table.rows} rows, the result {rows}")
    if sequences is not None and len(sequences) != rows:
        raise MismatchError(f"events has {len(sequences)} sequences, the result {rows} rows")


def _column(frame: Any, values: Any, role: str) -> Any:
    if not isinstance(values, str):
        return values
    if frame is None:
        raise InvalidArgumentError(f"{role}={values!r} names a column of features, which are None")
    return EventFrame(frame, "features").column(values, role)


def _numbers(frame: Any, values: Any, role: str, rows: int) -> Optional[NDArray[np.float64]]:
    if values is None:
        return None
    array: NDArray[np.float64] = contiguous(_column(frame, values, role), role, np.float64, rows)
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidDataError(f"{role}[{row}] must be a finite number of 0 or more, got {array[row]}")
    return array


def _times(frame: Any, values: Any, rows: int) -> Optional[NDArray[np.float64]]:
    if values is None:
        return None
    found = np.ascontiguousarray(Times.read(_column(frame, values, "when"), "when", None, rows).seconds)
    if not np.isfinite(found).all():
        raise InvalidDataError(f"when[{int(np.argmin(np.isfinite(found)))}] is not a time")
    return found


def _columns(table: Optional[Table]) -> List[FeatureColumn]:
    """Copies, so that what is shown cannot change under the report; dates are left out, as no stage but rules reads
    them."""
    found: List[FeatureColumn] = []
    for index, name in enumerate([] if table is None else table.names):
        assert table is not None
        struct = table.column(index)
        if struct.kind == NUMERIC:
            numbers = np.array(_values(struct, table.rows, np.dtype(np.float64)))
            found.append(FeatureColumn(name, "numeric", np.where(np.isfinite(numbers), numbers, np.nan), []))
        elif struct.kind == BOOLEAN:
            codes = _values(struct, table.rows, np.dtype(np.int8)).astype(np.float64)
            found.append(FeatureColumn(name, "boolean", np.where(codes < 0, np.nan, codes), []))
        elif struct.kind == CATEGORICAL:
            codes = np.array(_values(struct, table.rows, np.dtype(np.int32)))
            names: List[str] = []
            if struct.category_count:
                pointers = (ctypes.c_char_p * struct.category_count).from_address(struct.categories)
                names = [(pointer or b"").decode("utf-8", "replace") for pointer in pointers]
            found.append(FeatureColumn(name, "categorical", np.where(codes < len(names), codes, -1), names))
    return found
