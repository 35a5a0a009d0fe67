"""The tables of `covey.find` and of `Engine.score`: which column is what, and the two joined by key."""

from __future__ import annotations

import sys
from typing import Any, Dict, List, Optional, Tuple

from numpy.typing import NDArray

from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError
from ._event_frames import EventFrame
from ._findings import Finding
from ._keys import as_column, first_appearance, read_keys
from ._table import column_labels, held
from .sequences import Sequences

#: Names under which a column is looked for, where the given or usual one is not there.
_USUAL = {
    "time": ("time", "timestamp", "ts", "seconds", "event_time", "datetime", "date", "created_at", "time_ms"),
    "event": ("event", "event_type", "type", "action", "activity", "page", "name", "event_name"),
}


def column_names(frame: Any, name: str) -> List[Any]:
    """The labels of a table's columns, a named index of pandas among them."""
    found = column_labels(frame, name)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        found += [label for label in frame.index.names if label is not None and label not in found]
    return found


def find_column(names: List[Any], given: Optional[str], role: str, findings: List[Finding]) -> str:
    """The column of a role: the one that was named, or the only one of the usual names that is there."""
    if given in names and given is not None:
        return given
    usual = [label for label in _USUAL[role] if label in names]
    if given not in (None, role) or len(usual) != 1:
        hint = f"; it could be {usual}" if usual else ""
        raise InvalidArgumentError(f"{role}={given!r} is not a column of events, which have {names}{hint}")
    findings.append(
        Finding(
            "column_role",
            f"{role} = {usual[0]!r}, as events have no column {role!r}",
            f"pass {role}= to say it",
            usual[0],
        )
    )
    return usual[0]


def find_key(
    events: Any, features: Any, key: Optional[str], taken: List[Any], findings: List[Finding]
) -> Optional[str]:
    """The column that joins events and features: the one that was named, or the only one that both have (of several,
    the only one without a repeated value in the features)."""
    event_names = column_names(events, "events")
    if features is None:
        if key is not None:
            return _in(key, event_names, "events")
        left = [label for label in event_names if label not in taken]
        if len(left) != 1:
            raise InvalidArgumentError(f"key must say which column of events is the transaction's, one of {left}")
        return _told(left[0], "the only other column of events", findings)
    feature_names = column_names(features, "features")
    if key is not None:
        return _in(_in(key, event_names, "events"), feature_names, "features")
    both = [label for label in event_names if label in feature_names and label not in taken]
    if len(both) > 1:
        both = [label for label in both if _is_unique(features, label)]
    if len(both) != 1:
        raise InvalidArgumentError(
            f"key must name a column of both events, which have {event_names}, and features, which have {feature_names}"
        )
    return _told(both[0], "the column that events and features both have", findings)


def _told(key: Any, why: str, findings: List[Finding]) -> str:
    if not isinstance(key, str):
        raise InvalidTypeError(f"key must be a column's name, got {key!r}")
    findings.append(Finding("column_role", f"key = {key!r}, {why}", "pass key= to say it", key))
    return key


def _in(key: str, names: List[Any], where: str) -> str:
    if key not in names:
        raise InvalidArgumentError(f"key={key!r} is not a column of {where}, which have {names}")
    return key


def _is_unique(features: Any, label: str) -> bool:
    try:
        keys = key_values(features, label)
    except (InvalidDataError, InvalidTypeError, InvalidArgumentError):
        return False
    return len(first_appearance(keys)[1]) == len(keys)


def key_values(features: Any, key: str) -> NDArray[Any]:
    """The keys of a table of features, from its column or its index."""
    values = EventFrame(features, "features").column(key, "key")
    return read_keys(as_column(values), f"features[{key!r}]")


def join_events(
    events: Any,
    features: Any,
    *,
    key: Optional[str],
    time: Optional[str],
    event: Optional[str],
    dwell: Optional[str],
    uses_dwell: bool,
    channels: Optional[Dict[str, Any]] = None,
) -> Tuple[Sequences, Dict[str, Optional[str]], List[Finding]]:
    """The sequences of the features' transactions (or of all keys, without features), which columns they came from, and
    what is odd."""
    findings: List[Finding] = []
    if isinstance(events, Sequences):
        return events, {"key": key or events.key_name}, list(events.findings)
    events = held(events, "events")
    names = column_names(events, "events")
    time = find_column(names, time, "time", findings)
    event = find_column(names, event, "event", findings)
    if dwell is None and uses_dwell:
        if "dwell" not in names:
            raise InvalidArgumentError(
                f"dwell must name a column of events, as the encoder uses it; events have {names}"
            )
        dwell = "dwell"
    key = find_key(events, features, key, [time, event, dwell], findings)
    order = None if features is None else key_values(features, str(key))
    options = {name: values for name, values in (channels or {}).items() if values}
    batch = Sequences._from_frame(
        events, str(key), time, event, dwell, order=order, called=("key", f"features[{key!r}]"), **options
    )
    return batch, {"key": key, "time": time, "event": event, "dwell": dwell}, findings + batch.findings
