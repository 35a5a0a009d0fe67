"""Why transactions have their values: what their events and features add (covey.h section 11)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from ctypes import byref
from typing import Any, Optional, Union, overload

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._html import Shown
from ._arrays import choice, flag, integer
from ._errors import NotFoundError
from ._handle import Native
from ._library import call, library
from ._trees import pandas
from .sequences import Sequences
from .vocabulary import Vocabulary

#: By COVEY_EXPLAINED_... and COVEY_ATTRIBUTION_....
EXPLAINED = {"exemplar": 0, "centre": 1, "membership": 2, "risk": 3, "contrast": 4}
METHODS = {"auto": -1, "occlusion": 0, "shapley": 1, "gradients": 2}
_EXPLAINED = {code: name for name, code in EXPLAINED.items()}
_METHODS = {code: name for name, code in METHODS.items()}


def explain_options(
    explained: str,
    method: str,
    cluster: Optional[int],
    largest_parts: int,
    permutations: int,
    largest_steps: int,
    seed: int,
    features: bool,
    faithfulness: bool,
    sensitivity: bool,
) -> _structs.ExplainOptions:
    return _structs.ExplainOptions(
        explained=choice(explained, "explained", EXPLAINED),
        method=choice(method, "method", METHODS),
        cluster=-1 if cluster is None else integer(cluster, "cluster"),
        largest_parts=integer(largest_parts, "largest_parts"),
        permutations=integer(permutations, "permutations"),
        largest_steps=integer(largest_steps, "largest_steps"),
        seed=integer(seed, "seed", signed=False),
        features=flag(features, "explain_features"),
        faithfulness=flag(faithfulness, "faithfulness"),
        sensitivity=flag(sensitivity, "sensitivity"),
    )


@dataclasses.dataclass(frozen=True)
class Faithfulness(Shown):
    """How well attributions say what the value hangs on: changes of the value when parts are left out in the order of
    the attributions' size; NaN without events or where it was not measured."""

    #: Without the parts with the largest attributions: more is better. With those alone: less is better.
    comprehensiveness: float
    sufficiency: float
    #: The sum of the changes while the upper half is left out, step by step: more is better. The lower half: less is
    #: better.
    difference: float
    preservation: float
    #: How far the attributions are from the changes: the root mean square, over these steps, of the change minus the
    #: sum of the attributions of the parts that are left out; less is better.
    infidelity: float
    #: The largest relative change of the attributions when all gaps and dwells become 5 or 2 % shorter or longer: less
    #: is better. NaN unless ``sensitivity=True``.
    sensitivity: float


@dataclasses.dataclass(frozen=True)
class Explanation(Shown):
    """What each event and each feature of one transaction adds to its value."""

    #: "contrast", "exemplar", "centre", "membership" or "risk"; "occlusion", "shapley" or "gradients".
    explained: str
    method: str
    #: The cluster, -1 for the risk, and its exemplar, a row of the engine's clustering, -1 = none.
    cluster: int
    exemplar: int
    #: The value, and that without any event (for gradients, of the baseline).
    value: float
    base: float
    #: One for each event, in the order as given. Their standard errors, NaN if the method has none.
    attributions: NDArray[np.float64]
    errors: NDArray[np.float64]
    #: value - base - the sum of the attributions.
    residual: float
    #: The events' names.
    events: tuple[str, ...]
    #: What each feature adds to the value; empty if features were not explained.
    features: dict[str, float]
    #: The runs of events that were left out together; as many as events, unless there are more than `largest_parts`.
    parts: int
    #: Points on the path of gradients; otherwise 0.
    steps: int
    faithfulness: Faithfulness

    def to_frame(self) -> Any:
        """One row an event in pandas: event, attribution, error."""
        return pandas().DataFrame({"event": list(self.events), "attribution": self.attributions, "error": self.errors})

    def __str__(self) -> str:
        order = np.argsort(-np.abs(self.attributions), kind="stable")[:3]
        told = ", ".join(f"event {place + 1} ({self.events[place]}) {self.attributions[place]:+.3g}" for place in order)
        of = "" if self.cluster < 0 else f" of cluster {self.cluster}"
        return f"{self.explained}{of} = {self.value:.4g}: {told or 'no events'}"


class Explanations(Shown, Sequence[Explanation]):
    """A list of :class:`Explanation`, made when they are read.

    Attributes:
        keys: which transaction each one is of, and key_name, what the column is called; None if they are not known.
    """

    def __init__(
        self,
        native: Native,
        features: list[str],
        sequences: Optional[Sequences],
        vocabulary: Optional[Vocabulary],
        keys: Optional[NDArray[Any]],
        key_name: Optional[str],
    ) -> None:
        self._native = native
        self._features = features
        self._vocabulary = vocabulary
        self._types = None if sequences is None else sequences.types
        self._offsets = None if sequences is None else sequences.offsets
        self.keys = keys
        self.key_name = key_name

    def __len__(self) -> int:
        return int(library.covey_explanations_count(self._native))

    @overload
    def __getitem__(self, index: int) -> Explanation: ...

    @overload
    def __getitem__(self, index: slice) -> list[Explanation]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Explanation, list[Explanation]]:
        if isinstance(index, slice):
            return [self._explanation(place) for place in range(*index.indices(len(self)))]
        index = integer(index, "index")
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise NotFoundError(f"index must be {-len(self)} to {len(self) - 1}, got {index}")
        return self._explanation(place)

    def _explanation(self, index: int) -> Explanation:
        struct = _structs.Explanation()
        call("covey_explanations_get", self._native, index, byref(struct))
        events, features = np.empty(struct.events), np.empty(struct.features)
        errors = np.empty(struct.events)
        call(
            "covey_explanations_events", self._native, index, events.ctypes.data, errors.ctypes.data, len(events)
        )  # fmt: skip
        call("covey_explanations_features", self._native, index, features.ctypes.data, len(features))
        return Explanation(
            explained=_EXPLAINED[struct.explained],
            method=_METHODS[struct.method],
            cluster=struct.cluster,
            exemplar=struct.exemplar,
            value=struct.value,
            base=struct.base,
            attributions=events,
            errors=errors,
            residual=struct.residual,
            events=self._names(index),
            features=dict(zip(self._features, features.tolist())),
            parts=struct.parts,
            steps=struct.steps,
            faithfulness=Faithfulness(
                struct.comprehensiveness,
                struct.sufficiency,
                struct.difference,
                struct.preservation,
                struct.infidelity,
                struct.sensitivity,
            ),
        )

    def _names(self, index: int) -> tuple[str, ...]:
        """Names as they were given; of indices, those of the vocabulary."""
        if self._types is None or self._offsets is None or self._vocabulary is None:
            return ()
        given = self._types[self._offsets[index] : self._offsets[index + 1]].tolist()
        entries = len(self._vocabulary)
        return tuple(
            (
                ("" if not 0 <= value < entries else self._vocabulary[value])
                if isinstance(value, int)
                else str(value or "")
            )
            for value in given
        )

    def to_frame(self) -> Any:
        """One row an event in pandas: transaction (its key, or its number), event, place (from 1), attribution,
        error."""
        rows: dict[str, list[Any]] = {self.key_name or "transaction": [], "place": [], "event": []}
        numbers: dict[str, list[NDArray[np.float64]]] = {"attribution": [], "error": []}
        for index, found in enumerate(self):
            count = len(found.events)
            rows[self.key_name or "transaction"] += [index if self.keys is None else self.keys[index]] * count
            rows["place"] += range(1, count + 1)
            rows["event"] += found.events
            numbers["attribution"].append(found.attributions)
            numbers["error"].append(found.errors)
        return pandas().DataFrame(
            {**rows, **{name: np.concatenate([np.empty(0), *parts]) for name, parts in numbers.items()}}
        )

    def __repr__(self) -> str:
        return f"Explanations({len(self)} transactions)"
