"""The scores of a batch of transactions (covey.h section 11)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from ctypes import byref
from typing import Any, Optional, Union, overload

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._html import Shown
from ._arguments import checked_methods
from ._arrays import integer
from ._errors import CoveyError, NotFoundError, error_for
from ._findings import Finding
from ._handle import Native
from ._library import call, library, required_text
from ._output import Kind, frame_of

#: By COVEY_EVIDENCE_....
EVIDENCE = ("tree", "neighbours", "features", "events", "joint")


@dataclasses.dataclass(frozen=True)
class FiredRule(Shown):
    """A rule that fires: its sentence and the cluster it describes (-1 = no single one)."""

    text: str
    cluster: int

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class Score(Shown):
    """One transaction's score."""

    #: The cluster it behaves like, -1 = none, and the strength of that membership, 0 to 1.
    cluster: int
    strength: float
    #: 0 to 1.
    risk: float
    #: The cluster is risky, or a rule of a risky cluster fires.
    risky: bool
    #: The rules that fire.
    rules: tuple[FiredRule, ...]
    #: Sentences: the cluster and its figures, the rules, the events with the most attention.
    reasons: tuple[str, ...]
    #: Of an engine of :func:`covey.find` that knew fraud: the risky group, -1 = none, and the parts of the sum behind
    #: `risk` in log odds (see ``Found.evidence``); otherwise -1 and None.
    group: int = -1
    evidence: Optional[dict[str, float]] = dataclasses.field(default=None, hash=False)
    #: Why there is no score (`risk` is NaN); None if there is one.
    error: Optional[CoveyError] = None


@checked_methods
class Scores(Shown, Sequence[Score]):
    """A list of :class:`Score`, made when they are read.

    Attributes:
        cluster (n int64), strength (n float64), risk (n float64), risky (n bool): the same as arrays.
        errors: the errors of transactions without a score, by their index (``bad_rows="status"``).
        findings: :class:`Finding` objects about the events.
        keys: which transaction each score is of, and key_name, what the column is called; None if they are not
            known.
    """

    keys: Optional[NDArray[Any]] = None
    key_name: Optional[str] = None
    _kind: Optional[Kind] = None

    def __init__(self, native: Native) -> None:
        self._native = native
        self.findings: list[Finding] = []
        count = int(library.covey_scores_count(native))
        self.cluster = np.empty(count, dtype=np.int64)
        self.strength = np.empty(count, dtype=np.float64)
        self.risk = np.empty(count, dtype=np.float64)
        self.risky = np.empty(count, dtype=np.bool_)
        struct = _structs.Score()
        for index in range(count):
            call("covey_scores_get", native, index, byref(struct))
            self.cluster[index] = struct.cluster
            self.strength[index] = struct.strength
            self.risk[index] = struct.risk
            self.risky[index] = struct.risky
        self.errors: dict[int, CoveyError] = {
            int(index): error_for(
                library.covey_scores_status(native, int(index)),
                required_text(library.covey_scores_message(native, int(index))),
            )
            for index in np.flatnonzero(np.isnan(self.risk))
        }

    def __len__(self) -> int:
        return len(self.cluster)

    @overload
    def __getitem__(self, index: int) -> Score: ...

    @overload
    def __getitem__(self, index: slice) -> list[Score]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Score, list[Score]]:
        if isinstance(index, slice):
            return [self._score(place) for place in range(*index.indices(len(self)))]
        index = integer(index, "index")
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise NotFoundError(f"index must be {-len(self)} to {len(self) - 1}, got {index}")
        return self._score(place)

    def _score(self, index: int) -> Score:
        struct = _structs.Score()
        call("covey_scores_get", self._native, index, byref(struct))
        return Score(
            cluster=struct.cluster,
            strength=struct.strength,
            risk=struct.risk,
            risky=bool(struct.risky),
            group=struct.group if struct.has_evidence else -1,
            evidence=dict(zip(EVIDENCE, struct.evidence)) if struct.has_evidence else None,
            error=self.errors.get(index),
            rules=tuple(
                FiredRule(
                    required_text(library.covey_scores_rule(self._native, index, place)),
                    library.covey_scores_rule_cluster(self._native, index, place),
                )
                for place in range(struct.rule_count)
            ),
            reasons=tuple(
                required_text(library.covey_scores_reason(self._native, index, place))
                for place in range(struct.reason_count)
            ),
        )

    def to_frame(self) -> Any:
        """The key, where it is known, then cluster, strength, risk, risky: in a frame of the kind that the features
        were (its index kept, which may hold the key), in pandas otherwise."""
        columns: dict[str, Any] = {} if self.keys is None else {self.key_name or "key": self.keys}
        columns.update(cluster=self.cluster, strength=self.strength, risk=self.risk, risky=self.risky)
        return frame_of(columns, self._kind)

    def __repr__(self) -> str:
        return f"Scores({len(self)} transactions, {int(self.risky.sum())} risky)"


def batch_warnings(native: Native) -> list[Finding]:
    """What is odd about the events of a scored batch."""
    found: list[Finding] = []
    while (text := library.covey_scores_warning(native, len(found))) is not None:
        found.append(Finding("events_unlike_training", required_text(text)))
    return found
