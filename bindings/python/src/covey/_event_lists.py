"""`Sequences.from_lists`: a table with one row a transaction, whose events are a list in one of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, List, Tuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import _is_missing, arrow_column
from ._errors import InvalidTypeError
from ._event_frames import EventFrame


def read_lists(values: Any, name: str) -> Tuple[NDArray[np.int64], EventFrame]:
    """n + 1 offsets and the table of all events: from an Arrow list of structs, or from lists of mappings. A missing
    list is an empty one."""
    column = arrow_column(values, name)
    if column is not None:
        if not column.is_list:
            raise InvalidTypeError(
                f"{name} must hold lists of structs, got the Arrow format {column.format.decode()!r}"
            )
        offsets, elements = column.lists()
        frame = EventFrame({}, name)
        for label, field in elements.fields():
            frame.add(label, field)
        frame.rows = int(offsets[-1])
        return offsets, frame
    rows: List[Any] = []
    counts = []
    for index, events in enumerate(values):
        if not isinstance(events, (list, tuple, np.ndarray)):
            if events is None or _is_missing(events):
                events = ()
            else:
                raise InvalidTypeError(f"{name}[{index}] must be a list of mappings, got {type(events).__name__}")
        for event in events:
            if not isinstance(event, Mapping):
                raise InvalidTypeError(
                    f"{name}[{index}] must be a list of mappings, got a list of {type(event).__name__}"
                )
        rows += list(events)
        counts.append(len(events))
    frame = EventFrame(rows if rows else {}, name)
    frame.rows = len(rows)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), frame
