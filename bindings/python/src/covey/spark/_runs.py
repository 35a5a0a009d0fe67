"""Runs of rows with the same key, in sorted Arrow batches: whole ones together, long ones cut before they are
collected."""

from __future__ import annotations

import hashlib
import os
import tempfile
from typing import Any, Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError

#: Events that are embedded or scored at once.
EVENTS_AT_ONCE = 65_536


def whole_runs(batches: Iterable[Any], key: str, most: int, size: int = EVENTS_AT_ONCE) -> Iterator[pa.Table]:
    """Tables of about `size` rows, in which every key has all its rows, but at most its first `most`."""
    waiting: list[Any] = []
    rows, last, seen = 0, None, 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        keys = batch.column(batch.schema.get_field_index(key))
        if keys.null_count:
            raise InvalidDataError(f"{key!r} must have no null")
        fresh = np.ones(len(keys), dtype=np.bool_)
        fresh[1:] = pc.not_equal(keys[1:], keys[:-1]).to_numpy(zero_copy_only=False)
        fresh[0] = last is None or keys[0].as_py() != last
        starts = np.flatnonzero(fresh)
        place = np.arange(len(keys)) - np.maximum.accumulate(np.where(fresh, np.arange(len(keys)), 0))
        first = starts[0] if len(starts) else len(keys)
        place[:first] += seen  # of the run that goes on from the batch before
        last, seen = keys[len(keys) - 1].as_py(), int(place[-1]) + 1
        if rows >= size and len(starts):
            # All runs that wait are whole but the one that may go on to the first start here.
            kept = batch.slice(0, int(first)).filter(pa.array(place[:first] < most))
            yield pa.Table.from_batches([*waiting, kept])
            waiting, rows = [], 0
            batch, place = batch.slice(int(first)), place[first:]
        kept = batch.filter(pa.array(place < most))
        waiting.append(kept)
        rows += kept.num_rows
    if waiting:
        yield pa.Table.from_batches(waiting)


def backwards(table: pa.Table) -> pa.Table:
    """The rows from the last to the first."""
    return table.take(pa.array(np.arange(table.num_rows - 1, -1, -1)))


def first_of_runs(keys: Any) -> Any:
    """The places at which sorted keys change."""
    column = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    fresh = np.ones(len(column), dtype=np.bool_)
    fresh[1:] = pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(fresh)


class Part:
    """A fitted object on its way to the tasks: its bytes, or the path of a file that every worker can read. A worker
    loads it once."""

    def __init__(self, given: Any, name: str, kind: Any, write: Callable[[Any, str], None]) -> None:
        self.kind = kind.__name__
        self.module = kind.__module__
        self.path: str | None = None
        self.data = b""
        if isinstance(given, kind):
            with tempfile.TemporaryDirectory(prefix="covey-") as folder:
                place = os.path.join(folder, "part")
                write(given, place)
                with open(place, "rb") as file:
                    self.data = file.read()
            self.digest = hashlib.sha256(self.data).hexdigest()
        elif isinstance(given, (bytes, bytearray, memoryview)):
            self.data = bytes(given)
            self.digest = hashlib.sha256(self.data).hexdigest()
        elif isinstance(given, (str, os.PathLike)):
            self.path = os.fspath(given)
            self.digest = self.path
        else:
            raise InvalidTypeError(f"{name} must be a {kind.__name__}, its bytes or a path, got {type(given).__name__}")

    def load(self) -> Any:
        """Inside a task."""
        from importlib import import_module

        found = _loaded.get((self.kind, self.digest))
        if found is not None:
            return found
        kind = getattr(import_module(self.module), self.kind)
        if self.path is not None:
            # The file may change between two jobs, so that a path is read by each task.
            return kind.load(self.path)
        with tempfile.TemporaryDirectory(prefix="covey-") as folder:
            place = os.path.join(folder, "part")
            with open(place, "wb") as file:
                file.write(self.data)
            found = kind.load(place)
        _loaded.clear()  # one at a time, for the memory
        _loaded[(self.kind, self.digest)] = found
        return found


_loaded: dict[tuple[str, str], Any] = {}


def checked_length(max_length: Any) -> int:
    from .._arrays import integer

    length = integer(max_length, "max_length")
    if length < 1:
        raise InvalidArgumentError(f"max_length must be at least 1, got {length}")
    return length


def checked_columns(frame: Any, names: dict[str, Any]) -> None:
    """Refuses the name of a column that is not there; `names` are by argument."""
    for argument, given in names.items():
        for name in [given] if isinstance(given, str) else list(given or ()):
            if name not in frame.columns:
                raise InvalidArgumentError(
                    f"{argument}={name!r} is not a column of the DataFrame, which has {frame.columns}"
                )


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def listed(names: Any) -> list[str]:
    return [] if names is None else [names] if isinstance(names, str) else list(names)
