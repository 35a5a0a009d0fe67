"""What an investigator marked in a case report, read back as labels."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Dict, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from .._arguments import checked
from .._arrays import path_of
from .._errors import CorruptFileError, FileError, MismatchError, UnsupportedError
from .._html import Shown
from .source import Source, read_source

_LABELS = {"confirmed": 1.0, "false_alarm": 0.0, "uncertain": float("nan")}


@dataclasses.dataclass(frozen=True)
class Marks(Shown):
    """Marks of groups by number, of transactions by row, and notes by ("group", number) and ("transaction", row)."""

    groups: Dict[int, str]
    transactions: Dict[int, str]
    notes: Dict[Tuple[str, int], str]
    #: The key of each marked transaction as the report shows it: masked, unless it was written with mask=False.
    keys: Dict[int, str]
    #: The digest of the report's data, and whether its keys are masked.
    data: str
    masked: bool

    def labels(self, result: Any) -> NDArray[np.float64]:
        """One label a row of the result that the report is of, to be passed as ``fraud=``: 1 confirmed, 0 false alarm,
        NaN otherwise. What was known before stays; the mark of a group fills in its rows of which nothing was known;
        that of a transaction holds whatever was known, and "uncertain" takes its label away. MISMATCH: it is another
        result."""
        source = result if isinstance(result, Source) else read_source(result, dict.fromkeys(_GIVEN))
        if source.digest(b"covey-data") != self.data:
            raise MismatchError("marks are of a report on other rows: pass the result that the report was made of")
        found = source.known.copy()
        for number, mark in self.groups.items():
            rows = np.flatnonzero(source.row_groups == number)
            if not len(rows):
                raise MismatchError(f"marks name group {number}, which has no rows in the result")
            found[rows[np.isnan(found[rows])]] = _LABELS[mark]
        for row, mark in self.transactions.items():
            if not 0 <= row < source.rows:
                raise MismatchError(f"marks name row {row}, the result has {source.rows}")
            found[row] = _LABELS[mark]
        return found

    def by_key(self, result: Any = None) -> Dict[Any, float]:
        """Labels by key: of the marked transactions alone, or, with the result, of every row that a mark names."""
        if result is None:
            if self.masked:
                raise MismatchError("the keys in these marks are masked: pass the result that the report was made of")
            return {self.keys[row]: _LABELS[mark] for row, mark in self.transactions.items()}
        labels, source = self.labels(result), read_source(result, dict.fromkeys(_GIVEN))
        named = np.isin(source.row_groups, list(self.groups))
        named[list(self.transactions)] = True
        keys = np.arange(source.rows) if source.keys is None else source.keys
        return {keys[row]: float(labels[row]) for row in np.flatnonzero(named)}


_GIVEN = ("events", "features", "fraud", "amount", "when", "key")


@checked
def read_marks(path: Union[str, "os.PathLike[Any]"]) -> Marks:
    """Reads what "Save marks" in a case report wrote; ``read_marks(path).labels(found)`` goes into ``covey.find`` as
    ``fraud=``.

    Errors: IO, CORRUPT_FILE (names the field), UNSUPPORTED (of a newer Covey)."""
    try:
        text = path_of(path).read_bytes()
    except OSError as failure:
        raise FileError(f"marks: {failure}") from None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise CorruptFileError(f"marks are no JSON: {failure}") from None
    if not isinstance(content, dict) or content.get("format") != "covey-marks":
        raise CorruptFileError('marks must be an object whose "format" is "covey-marks"')
    if content.get("version") != 1:
        raise UnsupportedError(f"marks have version {content.get('version')!r}, this Covey reads 1")
    report = content.get("report")
    if not isinstance(report, dict) or not isinstance(report.get("data"), str):
        raise CorruptFileError('marks must have the text "report.data"')
    if not isinstance(content.get("marks"), list):
        raise CorruptFileError('marks must have the list "marks"')
    found = Marks({}, {}, {}, {}, report["data"], bool(report.get("masked", True)))
    for index, entry in enumerate(content["marks"]):
        _read(found, entry, f"marks[{index}]")
    return found


def _read(found: Marks, entry: Any, name: str) -> None:
    if not isinstance(entry, dict) or entry.get("mark") not in _LABELS:
        raise CorruptFileError(f"{name}.mark must be one of {sorted(_LABELS)}, got {_shown(entry)}")
    kind = entry.get("kind")
    if kind not in ("group", "transaction"):
        raise CorruptFileError(f'{name}.kind must be "group" or "transaction", got {kind!r}')
    field = "group" if kind == "group" else "row"
    number: Optional[Any] = entry.get(field)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise CorruptFileError(f"{name}.{field} must be a number of 0 or more, got {number!r}")
    (found.groups if kind == "group" else found.transactions)[number] = entry["mark"]
    if kind == "transaction":
        found.keys[number] = str(entry.get("key", number))
    if entry.get("note"):
        found.notes[(kind, number)] = str(entry["note"])


def _shown(entry: Any) -> str:
    text = repr(entry.get("mark") if isinstance(entry, dict) else entry)
    return text if len(text) <= 60 else text[:57] + "..."
