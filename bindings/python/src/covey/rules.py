"""Rules that a person can read (covey.h section 10)."""

from __future__ import annotations

import dataclasses
import json
from ctypes import Array, addressof, byref, c_void_p, cast
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence, Tuple, Union, overload

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arguments import checked, checked_methods
from ._arrays import binary, c_string, choice, contiguous, integer, real, seconds
from ._conditions import Condition, condition_structs, pair_structs, written_rules
from ._errors import InvalidArgumentError, InvalidTypeError, NotFoundError
from ._exports import export
from ._handle import Handle, Native, made_by_library
from ._library import call, library, text
from ._pairing import same_index
from ._rule import Rule, column_kinds, read_rule
from ._table import Table
from ._trees import pandas
from .context import Context, running


_QUALITIES = {"likelihood": 0, "weighted_accuracy": 1, "f_beta": 2, "lift": 3, "amount": 4}
_USES = {"allowed": 1, "forbidden": 2, "sensitive": 3}
_DIRECTIONS = {"any": 0, "more": 1, "less": -1}


@checked_methods
class RuleSet(Handle):
    """A small set of rules, best first; made by :func:`extract_rules` or :meth:`from_json`. Immutable.

    Example::

        hits = rules.predict(features)
        print(rules.to_sql("transactions"))

    Attributes:
        rules: :class:`Rule` objects.
        tried: candidate rules that the search tried. fallen: chosen rules that failed on the unseen rows.
        note: why the search returned no rule, as a sentence; None if it returned one.
    """

    def __init__(self, native: Any = None) -> None:
        native = made_by_library(native, "a RuleSet is made by covey.extract_rules(...) or RuleSet.from_json(text)")
        self._native = native
        self.tried: int = library.covey_rules_tried(native)
        self.fallen: int = library.covey_rules_fallen(native)
        self.note: Optional[str] = text(library.covey_rules_note(native))
        self.rules: list[Rule] = [read_rule(native, index) for index in range(library.covey_rules_count(native))]
        self._kinds = column_kinds(json.loads(self.to_json())["features"])

    def predict(self, features: Any, *, context: Optional[Context] = None) -> NDArray[np.bool_]:
        """n bool: whether any rule matches the row. Columns are found by name, others ignored. Errors: MISMATCH names
        a column that is missing or of another kind; INVALID_DATA."""
        return self._evaluate(features, context, each=False)

    def fired(self, features: Any, *, context: Optional[Context] = None) -> NDArray[np.bool_]:
        """n x rules bool: whether each rule matches the row. Errors as :meth:`predict`."""
        return self._evaluate(features, context, each=True)

    def _evaluate(self, features: Any, context: Optional[Context], each: bool) -> NDArray[np.bool_]:
        handle = self._handle()
        table = Table(features, "features", kinds=self._kinds)
        output = np.zeros((table.rows, len(self.rules)) if each else table.rows, dtype=np.uint8)
        fired, any_rule = (output.ctypes.data, None) if each else (None, output.ctypes.data)
        with running(context) as native:
            call("covey_rules_evaluate", handle, native, byref(table.struct), fired, any_rule)
        return output.view(np.bool_)

    def export(self, format: str, *, context: Optional[Context] = None, **options: Any) -> str:
        """The set in another language, as text; each decides as :meth:`predict` on every row.

        Args:
            format: "sql", "drl" (Drools), "dmn" (a decision table of DMN 1.3), "pmml" (4.4), "json" (:meth:`from_json`
                reads it), "json-schema" (of that), "python" (a function of a mapping), "c" (a header) or "java" (a
                class).
            name: of the function, decision, model, package or class: an identifier. None = "rules", in Java "Rules".
            dialect: of SQL: "ansi", "postgresql", "sqlite", "duckdb", "spark" or "bigquery".
            table, schema, catalog: for SQL; the text is then the SELECT that finds the table's rows, otherwise an
                expression.
            timestamps: for SQL: dates are timestamp columns, not seconds since 1970 (UTC).
            time_zone: for SQL: in which timestamps without a zone were written; None = UTC.

        See covey_rules_export in covey.h. Errors: INVALID_ARGUMENT, UNSUPPORTED (what the format cannot hold),
        OUT_OF_MEMORY, CANCELLED.
        """
        return export(self._handle(), format, context, **options)

    def to_json(self, *, context: Optional[Context] = None) -> str:
        """The whole set with its figures; :meth:`from_json` reads it back. Errors: OUT_OF_MEMORY, CANCELLED."""
        return self.export("json", context=context)

    def to_sql(self, table: Optional[str] = None, *, context: Optional[Context] = None, dialect: str = "ansi") -> str:
        """A boolean expression in SQL, true if a rule matches; with a table's name, the SELECT that finds those
        rows."""
        return self.export("sql", table=table, context=context, dialect=dialect)

    @classmethod
    def from_json(cls, text: str, *, context: Optional[Context] = None) -> "RuleSet":
        """Reads what :meth:`to_json` wrote. Errors: CORRUPT_FILE (says where), UNSUPPORTED (a newer version),
        OUT_OF_MEMORY, CANCELLED."""
        encoded = c_string(text, "text")
        pointer = c_void_p()
        with running(context) as native:
            call("covey_rules_parse", native, encoded, len(encoded), byref(pointer))
        return cls(Native(pointer.value, "covey_rules_destroy"))

    @classmethod
    def from_conditions(
        cls,
        rules: Iterable[Iterable[Condition]],
        kinds: Optional[Mapping[str, str]] = None,
        precisions: Optional[Sequence[Optional[float]]] = None,
    ) -> "RuleSet":
        """Rules written by hand, without figures: each a list of conditions that all hold. A condition whose `derived`
        is not NONE is on what its `columns` make, whatever its feature is called.

        Args:
            kinds: "numeric", "categorical" or "boolean" of features of which only MISSING and PRESENT are asked.
            precisions: one a rule, 0 to 1 or None: the share of fraud among matching rows as far as the author knows
                it, by which an engine scores; without it such a rule makes a transaction risky and leaves its risk as
                it is.

        Errors: INVALID_ARGUMENT, CORRUPT_FILE (says which condition makes no sense).
        """
        return cls.from_json(json.dumps(written_rules(rules, kinds, precisions)))

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    @overload
    def __getitem__(self, index: int) -> Rule: ...

    @overload
    def __getitem__(self, index: slice) -> list[Rule]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Rule, list[Rule]]:
        """A rule, or a list of them for a slice. Raises NotFoundError, which is an IndexError."""
        if isinstance(index, slice):
            return self.rules[index]
        try:
            return self.rules[integer(index, "index")]
        except IndexError:
            raise NotFoundError(f"there is no rule {index}; there are {len(self.rules)}") from None

    def to_frame(self) -> Any:
        """A pandas DataFrame with one row a rule: its sentence and its figures."""
        names = [field.name for field in dataclasses.fields(Rule) if field.name != "conditions"]
        return pandas().DataFrame([[getattr(rule, name) for name in names] for rule in self.rules], columns=names)

    def __repr__(self) -> str:
        count = len(self.rules)
        return f"RuleSet({count} rule{'' if count == 1 else 's'}{', best: ' + repr(self.rules[0]) if count else ''})"

    def __str__(self) -> str:
        return "\n".join(rule.text for rule in self.rules) or "no rule"

    def __reduce__(self) -> Any:
        return RuleSet.from_json, (self.to_json(),)


@checked
def extract_rules(
    features: Any,
    target: Any,
    *,
    max_conditions: int = 3,
    max_rules: int = 8,
    min_support: int = 10,
    min_precision: float = 0.5,
    min_lift: float = 2.0,
    max_bins: int = 64,
    beam_width: int = 64,
    held_out: float = 0.3,
    confidence: float = 0.95,
    times: Any = None,
    seed: int = 0,
    target_name: Optional[str] = None,
    weights: Any = None,
    amounts: Any = None,
    quality: str = "likelihood",
    beta: float = 1.0,
    allowed: Union[None, str, Sequence[str]] = None,
    forbidden: Union[None, str, Sequence[str]] = None,
    sensitive: Union[None, str, Sequence[str]] = None,
    directions: Optional[Mapping[str, str]] = None,
    pinned: Sequence[Condition] = (),
    given: Optional[RuleSet] = None,
    rounding: float = 0.0,
    significance: float = 0.05,
    permutations: int = 0,
    resamples: int = 0,
    min_stability: float = 0.0,
    age_to: Optional[str] = None,
    ratios: Sequence[Tuple[str, str]] = (),
    differences: Sequence[Tuple[str, str]] = (),
    context: Optional[Context] = None,
) -> RuleSet:
    """Finds conjunctions of expert features that hold in the target rows and rarely elsewhere.

    Example::

        rules = covey.extract_rules(features, clusterer.labels_ == 0, target_name="cluster 0")
        print(rules)

    Args:
        features: a table of n rows. target: n of True/1 (in the target) or False/0.
        max_conditions: in one rule, 1 to 8. max_rules: in the set, 1 to 1000.
        min_support: target rows that a rule must match in the search rows, at least 1.
        min_precision: 0 to 1, min_lift: >= 0; on the rows never seen too.
        max_bins: of a numeric feature, 2 to 254. beam_width: 1 to 10,000.
        held_out: share of rows that the search never sees, 0.05 to 0.95. times: one a row (seconds or datetimes): the
            latest rows are held out; None = a random share, by `seed`.
        confidence: of the Wilson intervals, 0.5 to 0.9999.
        target_name: what the sentences call the target; None = "target".
        weights: one a row, >= 0: how many rows it stands for. amounts: one a row, >= 0.
        quality: "likelihood", "weighted_accuracy", "f_beta" (of `beta`), "lift" or "amount" (of the target rows that
            match, for each false alarm); each less what the rule's length costs.
        allowed: the only features that the search uses; None = all. forbidden: features that it does not use.
        sensitive: features that are never in a rule, in none that was given either.
        directions: "more" or "less" for numeric and boolean features: which is riskier.
        pinned: conditions that every rule contains. given: rules written by hand, measured on the same rows and
            returned after those found; see :meth:`RuleSet.from_conditions`.
        rounding: 0 to 0.5: how much precision and recall may each fall for shorter thresholds, as shares of themselves.
        significance: rules with a larger p_value or search_p_value fall; 0 = none.
        permutations: searches on permuted targets behind search_p_value. resamples: searches on halves of the rows
            behind stability; rules of less than min_stability fall.
        age_to: a column of datetimes: every other one takes part also as "days from X to" this one. Every datetime
            takes part by its hour (UTC).
        ratios, differences: pairs of numeric columns that may stand in rules as first / second and first - second.

    Beam search and a tree by likelihood ratio and description length, then separate and conquer; see
    covey_extract_rules in covey.h. No rule found is a set of 0 rules. O(n f) to read, then O(beam_width *
    max_conditions * f) a rule.
    Errors: INVALID_ARGUMENT, INVALID_DATA (infinite values, a target of one class), MISMATCH, OUT_OF_MEMORY, CANCELLED.
    """
    same_index(features=features, target=target, times=times, weights=weights, amounts=amounts)
    table = Table(features)
    chosen = binary(target, "target", table.rows)
    when = None if times is None else np.ascontiguousarray(seconds(times, "times", table.rows))
    if target_name is not None and not isinstance(target_name, str):
        raise InvalidTypeError(f"target_name must be a string or None, got {target_name!r}")
    if given is not None and not isinstance(given, RuleSet):
        raise InvalidTypeError(f"given must be a RuleSet or None, got {given!r}")
    weighing = None if weights is None else contiguous(weights, "weights", np.float64, table.rows)
    money = None if amounts is None else contiguous(amounts, "amounts", np.float64, table.rows)
    policies = _policies({"allowed": allowed, "forbidden": forbidden, "sensitive": sensitive}, directions)
    fixed, categories = condition_structs(pinned)
    hand_written = None if given is None else given._handle()
    pairs, columns = pair_structs(ratios, differences)
    options = _structs.RulesOptions(
        max_conditions=integer(max_conditions, "max_conditions"),
        max_rules=integer(max_rules, "max_rules"),
        min_support=integer(min_support, "min_support"),
        min_precision=real(min_precision, "min_precision"),
        min_lift=real(min_lift, "min_lift"),
        max_bins=integer(max_bins, "max_bins"),
        beam_width=integer(beam_width, "beam_width"),
        held_out=real(held_out, "held_out"),
        confidence=real(confidence, "confidence"),
        times=None if when is None else when.ctypes.data,
        seed=integer(seed, "seed", signed=False),
        target_name=None if target_name is None else c_string(target_name, "target_name"),
        weights=None if weighing is None else weighing.ctypes.data,
        amounts=None if money is None else money.ctypes.data,
        quality=choice(quality, "quality", _QUALITIES),
        beta=real(beta, "beta"),
        features=cast(policies, c_void_p) if len(policies) else None,
        feature_count=len(policies),
        pinned=cast(fixed, c_void_p) if len(fixed) else None,
        pinned_count=len(fixed),
        given=None if hand_written is None else hand_written.address,
        rounding=real(rounding, "rounding"),
        significance=real(significance, "significance"),
        permutations=integer(permutations, "permutations"),
        resamples=integer(resamples, "resamples"),
        min_stability=real(min_stability, "min_stability"),
        age_to=None if age_to is None else c_string(age_to, "age_to"),
        pairs=addressof(pairs),
        pair_count=len(columns) // 2,
    )
    pointer = c_void_p()
    with running(context) as native:
        call("covey_extract_rules", native, byref(table.struct), chosen.ctypes.data, byref(options), byref(pointer))
    del categories, columns, hand_written
    return RuleSet(Native(pointer.value, "covey_rules_destroy"))


def _policies(
    uses: Mapping[str, Union[None, str, Sequence[str]]], directions: Optional[Mapping[str, str]]
) -> "Array[_structs.RuleFeature]":
    """What is said of each feature, as C reads it."""
    found: dict[str, str] = {}
    for use, names in uses.items():
        if names is not None and not isinstance(names, Iterable):
            raise InvalidTypeError(f"{use} must be names of features, got {names!r}")
        for name in [names] if isinstance(names, str) else names or ():
            if not isinstance(name, str):
                raise InvalidTypeError(f"{use} must hold names of features, got {name!r}")
            if name in found:
                raise InvalidArgumentError(f"{name!r} is in {found[name]} and in {use}")
            found[name] = use
    if uses["allowed"] is not None and "allowed" not in found.values():
        raise InvalidArgumentError("allowed must name at least one feature, or be None for all")
    if directions is not None and not isinstance(directions, Mapping):
        raise InvalidTypeError(f"directions must be a mapping of features, got {directions!r}")
    ways = {name: choice(way, f"directions[{name!r}]", _DIRECTIONS) for name, way in (directions or {}).items()}
    names = list(dict.fromkeys([*found, *ways]))
    return (_structs.RuleFeature * len(names))(
        *(
            _structs.RuleFeature(
                feature=c_string(name, "a feature's name"),
                use=_USES[found[name]] if name in found else 0,
                direction=ways.get(name, 0),
            )
            for name in names
        )
    )
