"""What `covey.find` found (covey.h section 12)."""

from __future__ import annotations

import dataclasses
import json
import os
from ctypes import byref
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._html import Shown
from ._arguments import checked_methods
from ._arrays import choice, path_of
from ._findings import Finding
from ._handle import Handle, Native, made_by_library
from ._library import call, library, required_text
from ._output import Kind, frame_of
from ._scores import EVIDENCE
from .engine import Engine
from .rules import RuleSet

if TYPE_CHECKING:
    from .report import Report

_EVIDENCE = {part: index for index, part in enumerate(EVIDENCE)}
#: By COVEY_FINDING_...; codes of a newer library are their number.
_CODES = {
    1: "no_labels", 2: "no_known_fraud", 3: "too_few_frauds", 4: "only_fraud", 5: "no_signal", 6: "no_group",
    7: "giant_cluster", 8: "much_noise", 9: "no_clusters", 10: "embeddings_without_signal",
    11: "feature_gives_label_away", 12: "unlabelled_compared", 13: "known_share", 14: "no_rule", 15: "amounts_missing",
    16: "few_events", 17: "dates_left_out", 18: "new_behaviour", 19: "few_rows",
    20: "events_unlike_training",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class RiskyGroup(Shown):
    """Transactions that are fraud together, by their known frauds alone."""

    #: Its number in ``Found.row_groups``.
    group: int
    #: How many rows, and of them known to be fraud, known to be legitimate, and not known.
    rows: int
    known: int
    legitimate: int
    unknown: int
    #: The estimated share of fraud, with its interval.
    share: float
    share_low: float
    share_high: float
    #: The share of known fraud over that of all rows.
    lift: float
    #: Of chance, corrected for all groups that were looked at.
    p_value: float
    #: Sum of amounts of the rows known to be fraud, and of all rows; 0 without amounts.
    loss: float
    amount: float
    #: Smallest and largest time, seconds; NaN without times.
    first_seen: float
    last_seen: float
    #: Whether it is the rows that all evidence together puts first, and no knot of a tree.
    of_evidence: bool
    #: The group in a sentence.
    text: str
    #: Row numbers, ascending.
    members: NDArray[np.int64] = dataclasses.field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.text


@checked_methods
class Found(Handle):
    """The result of :func:`covey.find`. Immutable.

    Example::

        worst = found.to_frame().sort_values("score", ascending=False).head()
        found.save("found.covey")

    Attributes (n rows, in the order of the features, or of the sequences without features):
        labels: n int64, the cluster of each row, -1 = none.
        scores: n float64, 0 to 1, higher = more likely fraud: each row's risk, without what is known of the row itself;
            outlier scores where no fraud is known.
        risky: n bool, whether the row is in a risky group. row_groups: n int64, its group, -1 = none.
        groups: :class:`RiskyGroup` objects, riskiest first.
        rules: the rules for fraud, a :class:`RuleSet` (empty where there are none).
        engine: an :class:`Engine` that scores new transactions; ``engine.score(events, features)`` takes frames.
        findings: :class:`Finding` objects: what to know about the data and the result, and what to do about it.
        settings: what was chosen and how, as a dict.
        keys, key_name: whose the rows are; None without a key. sequences: the batch, or None.
    """

    keys: Optional[NDArray[Any]] = None
    key_name: Optional[str] = None
    sequences: Any = None
    #: What `covey.find` was handed, for reports.
    _inputs: Any = None
    _features: Any = None
    #: Of a result that was read from a file: its evidence, and what was known of its rows.
    _evidence: Optional[Dict[str, NDArray[np.float64]]] = None
    #: Which columns it was found in, by role, where they were named.
    _roles: Mapping[str, str] = MappingProxyType({})
    _saved: Optional[Dict[str, NDArray[np.float64]]] = None

    def __init__(self, native: Any = None) -> None:
        native = made_by_library(native, "a Found is made by covey.find(...)")
        self._native = native
        rows = int(library.covey_found_rows(native))
        self.labels = self._array("labels", np.int32, rows).astype(np.int64)
        self.row_groups = self._array("row_groups", np.int32, rows).astype(np.int64)
        self.risky = self._array("risky", np.uint8, rows).view(np.bool_)
        self.scores = self._array("scores", np.float64, rows)
        self.groups: List[RiskyGroup] = [self._group(index) for index in range(library.covey_found_group_count(native))]
        pointer = library.covey_found_rules(native)
        self.rules: RuleSet = (
            RuleSet.from_conditions([]) if pointer is None else RuleSet(Native(pointer, None, keep=native))
        )
        self.engine: Engine = Engine._wrap(Native(library.covey_found_engine(native), None, keep=native))
        self.findings: List[Finding] = [
            self._finding(index) for index in range(library.covey_found_finding_count(native))
        ]
        self.settings: Dict[str, Any] = json.loads(required_text(library.covey_found_settings(native)))
        self._kind = Kind()
        self._known: Optional[NDArray[np.float64]] = None

    def evidence(self, part: str) -> NDArray[np.float64]:
        """n float64: a part of the sum behind the scores, in log odds; 0 where no fraud is known. part: "tree" (known
        fraud around the row, along the tree of clusters), "neighbours" (among its nearest rows), "features" (a forest
        on the features), "events" (a forest on features and counts of events, and a linear model of event
        types, pairs and gaps) or "joint" (a forest on all columns and the embeddings)."""
        which = choice(part, "part", _EVIDENCE)
        if self._evidence is not None:
            return self._evidence[part].copy()
        values = np.empty(len(self.labels), dtype=np.float64)
        call("covey_found_evidence", self._handle(), which, values.ctypes.data, len(values))
        return values

    def to_frame(self) -> Any:
        """One row a transaction, of the kind that the features were (pandas otherwise): key, fraud, label, group,
        risky, score."""
        columns: Dict[str, Any] = {} if self.keys is None else {self.key_name or "key": self.keys}
        if self._known is not None:
            columns["fraud"] = self._known
        columns.update(label=self.labels, group=self.row_groups, risky=self.risky, score=self.scores)
        return frame_of(columns, self._kind)

    def report(self, path: Union[None, str, "os.PathLike[Any]"] = None, **options: Any) -> "Report":
        """The case report as one file: ``found.report("case.html")``. Options as in :func:`covey.report`."""
        from .report import report

        return report(self, path, **options)

    def save(self, path: Union[str, "os.PathLike[Any]"]) -> None:
        """Writes the result to one file, whole or not at all: all but the events and features it was found in. The same
        result gives the same bytes. Errors: IO, OUT_OF_MEMORY."""
        from ._found_files import write_found

        self._handle()
        write_found(self, path)

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[Any]"]) -> "Found":
        """Reads what :meth:`save` wrote. A report of it takes ``events=`` and ``features=``, as the file has none.
        Errors: IO, CORRUPT_FILE, UNSUPPORTED."""
        from ._found_files import read_found

        source = path_of(path)
        return read_found(cls, source, repr(str(source)))

    def __reduce__(self) -> Any:
        from ._found_files import found_bytes

        self._handle()
        return _restore, (found_bytes(self),)

    def _input(self, name: str) -> Optional[NDArray[np.float64]]:
        """The amounts or times that it was found with."""
        if self._saved is not None:
            return self._saved.get(name)
        found: Optional[NDArray[np.float64]] = None if self._inputs is None else getattr(self._inputs, name)
        return found

    def _array(self, name: str, dtype: Any, rows: int) -> NDArray[Any]:
        found = np.empty(rows, dtype=dtype)
        call(f"covey_found_{name}", self._native, found.ctypes.data, rows)
        return found

    def _group(self, index: int) -> RiskyGroup:
        struct = _structs.RiskyGroup()
        call("covey_found_group", self._native, index, byref(struct))
        names = [
            "rows", "legitimate", "unknown", "share", "share_low", "share_high", "lift", "p_value", "loss", "amount",
            "first_seen", "last_seen",
        ]  # fmt: skip
        values = {name: getattr(struct, name) for name in names}
        text = required_text(library.covey_found_group_text(self._native, index))
        members = np.flatnonzero(self.row_groups == index)
        return RiskyGroup(
            group=index, known=struct.fraud, of_evidence=bool(struct.of_evidence), text=text, members=members, **values
        )

    def _finding(self, index: int) -> Finding:
        code = int(library.covey_found_finding_code(self._native, index))
        return Finding(
            _CODES.get(code, str(code)), required_text(library.covey_found_finding_text(self._native, index))
        )

    def __repr__(self) -> str:
        rows, groups = len(self.labels), len(self.groups)
        return (
            f"Found({rows} row{'' if rows == 1 else 's'}, {groups} risky group{'' if groups == 1 else 's'} with "
            f"{int(self.risky.sum())} of them, {len(self.rules)} rule{'' if len(self.rules) == 1 else 's'}, "
            f"{len(self.findings)} finding{'' if len(self.findings) == 1 else 's'})"
        )

    def __str__(self) -> str:
        lines = [repr(self), *(group.text for group in self.groups), *(rule.text for rule in self.rules.rules)]
        return "\n".join(lines + [f"Finding: {found}" for found in self.findings])


def _restore(data: bytes) -> Found:
    import io

    from ._found_files import read_found

    return read_found(Found, io.BytesIO(data), "the pickle")
