"""What would change the score of one transaction (covey.h section 11)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from ctypes import byref, c_void_p
from typing import Any, Dict, List, Optional, Tuple, Union, overload

import numpy as np

from . import _structs
from ._html import Shown
from ._arrays import c_string, category_name, integer, real
from ._errors import InvalidArgumentError, InvalidTypeError, MismatchError, NotFoundError
from ._handle import Native
from ._library import call, library, required_text, text
from ._scores import Score, Scores
from ._strings import Names
from ._column import BOOLEAN, CATEGORICAL, KINDS
from ._transactions import Transactions
from ._trees import pandas
from .context import Context, running

#: COVEY_GOAL_...
GOALS = {"not_risky": 1, "leave_cluster": 2, "risk_below": 4}
#: By COVEY_COUNTERFACTUAL_....
OUTCOMES = ("none", "found", "not_needed")
Value = Union[float, bool, str, None]


@dataclasses.dataclass(frozen=True)
class Change(Shown):
    """A changed feature: its name and kind ("numeric", "categorical", "boolean"), the given value and the new one (None
    = missing), the cost, and of a number the unit that costs are counted in (the distance between the quartiles of the
    engine's rows)."""

    name: str
    kind: str
    before: Value
    after: Value
    cost: float
    unit: float


@dataclasses.dataclass(frozen=True)
class Counterfactual(Shown):
    """A way to reach the goal: what is changed, the positions of the events that are removed (from 0), the cost, what
    the engine says of the changed transaction, and all that as a sentence."""

    changes: Tuple[Change, ...]
    removed: Tuple[int, ...]
    cost: float
    score: Score
    text: str

    @property
    def values(self) -> Dict[str, Value]:
        """The new values by name, so that ``{**features, **answer.values}`` is the changed transaction."""
        return {change.name: change.after for change in self.changes}

    def to_dict(self) -> Dict[str, Any]:
        """The same as plain data, for JSON."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        return self.text


class Counterfactuals(Shown, Sequence[Counterfactual]):
    """The answers of :meth:`Engine.counterfactual`, the cheapest first; empty if there are none, and ``outcome`` says
    why.

    Attributes:
        outcome: "found"; "none", if nothing that was tried reaches the goal; "not_needed", if the transaction does as
            it is.
        text: the same as a sentence. original: the score of the transaction as it was given.
        evaluations: alternatives that were scored.
    """

    def __init__(self, native: Native) -> None:
        self.outcome = OUTCOMES[int(library.covey_counterfactuals_outcome(native))]
        self.evaluations = int(library.covey_counterfactuals_evaluations(native))
        self.text = required_text(library.covey_counterfactuals_text(native, -1))
        scores = Scores(Native(library.covey_counterfactuals_scores(native), None, keep=native))
        self.original: Score = scores[0]
        count = int(library.covey_counterfactuals_count(native))
        self._answers = [_answer(native, index, scores[index + 1]) for index in range(count)]

    def __len__(self) -> int:
        return len(self._answers)

    @overload
    def __getitem__(self, index: int) -> Counterfactual: ...

    @overload
    def __getitem__(self, index: slice) -> List[Counterfactual]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Counterfactual, List[Counterfactual]]:
        if isinstance(index, slice):
            return self._answers[index]
        place = integer(index, "index")
        if not -len(self) <= place < len(self):
            raise NotFoundError(f"index must be {-len(self)} to {len(self) - 1}, got {index}")
        return self._answers[place]

    def to_dict(self) -> Dict[str, Any]:
        """All of it as plain data, for JSON."""
        return {
            "outcome": self.outcome,
            "text": self.text,
            "original": dataclasses.asdict(self.original),
            "evaluations": self.evaluations,
            "answers": [answer.to_dict() for answer in self._answers],
        }

    def to_frame(self) -> Any:
        """A pandas DataFrame with one row a change of a feature, and the answer that it belongs to."""
        names = ["answer", *(field.name for field in dataclasses.fields(Change))]
        rows = [(index, *dataclasses.astuple(change)) for index, one in enumerate(self) for change in one.changes]
        return pandas().DataFrame(rows, columns=names)

    def __str__(self) -> str:
        return "\n".join([self.text] + [f"- {answer.text}" for answer in self._answers])

    def __repr__(self) -> str:
        return f"Counterfactuals({self.outcome}, {len(self)} answers)"


def _answer(native: Native, index: int, score: Score) -> Counterfactual:
    struct = _structs.Counterfactual()
    call("covey_counterfactuals_get", native, index, byref(struct))
    removed = np.zeros(max(1, struct.removed), dtype=np.int64)
    call("covey_counterfactuals_removed", native, index, removed.ctypes.data, struct.removed)
    return Counterfactual(
        changes=tuple(_change(native, index, place) for place in range(struct.changes)),
        removed=tuple(removed[: struct.removed].tolist()),
        cost=struct.cost,
        score=score,
        text=required_text(library.covey_counterfactuals_text(native, index)),
    )


def _change(native: Native, answer: int, index: int) -> Change:
    struct = _structs.Change()
    call("covey_counterfactuals_change", native, answer, index, byref(struct))
    if struct.kind == CATEGORICAL:
        before, after = text(struct.old_category), text(struct.new_category)
    else:
        before, after = (_plain(value, struct.kind) for value in (struct.old_value, struct.new_value))
    return Change(required_text(struct.name), KINDS[struct.kind], before, after, struct.cost, struct.unit)


def _plain(value: float, kind: int) -> Any:
    return None if math.isnan(value) else bool(value) if kind == BOOLEAN else float(value)


class Wishes:
    """The options of a search, as the library takes them."""

    def __init__(self, kinds: Mapping[str, str], goal: Any, risk_below: Any, **options: Any) -> None:
        self._keep: List[Any] = []
        limits = self._limits(kinds, **{name: options.pop(name) for name in _BY_FEATURE})
        array = (_structs.ChangeLimit * max(1, len(limits)))(*limits)
        self._keep.append(array)
        names = [] if goal is None else _names(goal, "goal", "goals")
        for name in names:
            if not isinstance(name, str) or name not in GOALS:
                raise InvalidArgumentError(f"goal must be of {sorted(GOALS)}, got {name!r}")
        wanted = set(names) | (set() if risk_below is None else {"risk_below"})
        if "risk_below" in wanted and risk_below is None:
            raise InvalidArgumentError("risk_below must be a number for the goal 'risk_below'")
        most = options.pop("max_changes")
        self.struct = _structs.CounterfactualOptions(
            limits=array,
            limit_count=len(limits),
            goal=sum(GOALS[name] for name in wanted),
            risk_below=0.0 if risk_below is None else real(risk_below, "risk_below"),
            max_changes=0 if most is None else _positive(most, "max_changes"),
            others_immutable=int(self._others),
            answers=integer(options.pop("answers"), "answers"),
            max_removed=integer(options.pop("max_removed"), "max_removed"),
            event_cost=real(options.pop("event_cost"), "event_cost"),
            max_evaluations=integer(options.pop("max_evaluations"), "max_evaluations"),
        )

    def _limits(
        self, kinds: Mapping[str, str], costs: Any, bounds: Any, categories: Any, immutable: Any, allowed: Any
    ) -> List[_structs.ChangeLimit]:
        costs, bounds = _mapping(costs, "costs"), _mapping(bounds, "bounds")
        categories = _mapping(categories, "categories")
        fixed, free = _names(immutable, "immutable"), None if allowed is None else _names(allowed, "allowed")
        self._others = free is not None
        for where, names in (("costs", costs), ("bounds", bounds), ("categories", categories), ("immutable", fixed)):
            for name in names:
                self._check(name, where, kinds)
                if free is not None and where != "immutable" and name not in free:
                    raise InvalidArgumentError(f"{where} names {name!r}, which is not in allowed")
        for name in free or ():
            self._check(name, "allowed", kinds)
            if name in fixed:
                raise InvalidArgumentError(f"{name!r} is both in allowed and in immutable")
        mentioned = dict.fromkeys([*costs, *bounds, *categories, *fixed, *(free or ())])
        return [
            self._limit(name, costs.get(name, 1.0), bounds.get(name), categories.get(name), name in fixed)
            for name in mentioned
        ]

    @staticmethod
    def _check(name: Any, where: str, kinds: Mapping[str, str]) -> None:
        if name not in kinds:
            raise MismatchError(f"{where} names {name!r}, which is no feature of the engine: it has {sorted(kinds)}")

    def _limit(self, name: str, cost: Any, bounds: Any, categories: Any, fixed: bool) -> _structs.ChangeLimit:
        encoded = c_string(name, "a feature")
        struct = _structs.ChangeLimit(name=encoded, cost=real(cost, f"costs[{name!r}]"), immutable=int(fixed))
        self._keep.append(encoded)
        if bounds is not None:
            try:
                low, high = bounds
            except (TypeError, ValueError):
                raise InvalidTypeError(f"bounds[{name!r}] must be (low, high), got {bounds!r}") from None
            if low is not None:
                struct.low, struct.has_low = real(low, f"bounds[{name!r}][0]"), 1
            if high is not None:
                struct.high, struct.has_high = real(high, f"bounds[{name!r}][1]"), 1
        if categories is not None:
            given = _names(categories, f"categories[{name!r}]", "categories")
            if not given:
                raise InvalidArgumentError(f"categories[{name!r}] must not be empty: name it in immutable")
            names = Names([category_name(value) for value in given], f"categories[{name!r}]")
            struct.categories, struct.category_count = names.address, names.count
            self._keep.append(names)
        return struct


_BY_FEATURE = ("costs", "bounds", "categories", "immutable", "allowed")


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidTypeError(f"{name} must be a mapping of features, got {type(value).__name__}")
    return value


def _names(value: Any, name: str, what: str = "features") -> List[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Iterable):
        raise InvalidTypeError(f"{name} must be names of {what}, got {type(value).__name__}")
    return list(value)


def _positive(value: Any, name: str) -> int:
    number = integer(value, name)
    if number < 1:
        raise InvalidArgumentError(f"{name} must be at least 1 or None, got {number}")
    return number


def search(engine: Native, given: Transactions, wishes: Wishes, context: Optional[Context]) -> Counterfactuals:
    """Runs the search."""
    pointer = c_void_p()
    with running(context) as native:
        call(
            "covey_counterfactuals_find",
            engine,
            native,
            given.sequence_pointer,
            given.table_pointer,
            byref(wishes.struct),
            byref(pointer),
        )
    return Counterfactuals(Native(pointer.value, "covey_counterfactuals_destroy"))
