"""The whole road in one call (covey.h section 12)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ctypes import byref, c_void_p, pointer
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arguments import checked
from ._arrays import choice, contiguous, integer, real
from ._errors import InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._event_frames import EventFrame
from ._find_inputs import column_names, join_events, key_values
from ._find_results import Found
from ._find_table import describe_columns, leave_out_labels
from ._findings import Finding
from ._handle import Native
from ._labels import label_codes
from ._library import call
from ._output import Kind
from ._pairing import same_index
from ._table import Table, held
from ._times import Times
from .context import Context, running
from .encoder import SequenceEncoder
from .sequences import Sequences
from .training import layout_of, training_options

_CHOICES = {
    "shares_over": {"auto": 0, "labelled": 1, "all": 2},
    "error_rate": {"familywise": 0, "false_discovery": 1},
    "scaling": {"none": 0, "standard": 1, "robust": 2, "quantile": 3, "log": 4, "auto": 5},
    "search": {"auto": -1, "exact": 0, "approximate": 1},
}
_INTEGERS = ("min_fraud", "permutations", "trees", "max_rules", "min_cluster_size")
_REALS = ("known_share", "significance", "confidence", "min_share", "embedding_weight", "feature_weight")


@checked
def find(
    events: Any = None,
    features: Any = None,
    fraud: Any = None,
    *,
    key: Optional[str] = None,
    time: str = "time",
    event: str = "event",
    dwell: Optional[str] = None,
    amount: Any = None,
    when: Any = None,
    encoder: Union[None, SequenceEncoder, str, "os.PathLike[Any]"] = None,
    seed: int = 0,
    known_share: Optional[float] = None,
    shares_over: str = "auto",
    error_rate: str = "familywise",
    significance: float = 0.05,
    confidence: float = 0.95,
    min_share: float = 0.8,
    min_fraud: int = 2,
    permutations: int = 999,
    trees: int = 200,
    max_rules: int = 8,
    min_cluster_size: int = 5,
    scaling: str = "robust",
    search: str = "auto",
    embedding_weight: float = 1.0,
    feature_weight: float = 1.0,
    training: Optional[Mapping[str, Any]] = None,
    context: Optional[Context] = None,
) -> Found:
    """Finds the fraud: from events, features and what is known so far to risky groups, a score for each transaction,
    rules, and an engine that scores the next ones. Needs no tuning; the same input and seed give the same result::

        found = covey.find(events, transactions, "label", key="transaction", time="seconds", amount="amount")
        print(found)
        found.engine.save("shop.engine")

    Args:
        events: a table with one row an event (the README says what a table may be), or :class:`Sequences` of as many
            rows as the features; None = features alone.
        features: a table with one row a transaction; None = events alone. Columns that hold a different string in most
            rows are left out, and of categorical columns the 100 most frequent categories count; ``findings`` says so.
        fraud: one a row of the features (or a sequence, in the order of first appearance), or the name of their column:
            1 or True (known fraud), 0 or False (known legitimate), None or NaN (unknown), or the usual words. None =
            nothing is known: clusters,
            outliers and what is new. A Series whose index has labels of the features' index in
            other rows is refused.
        key: the column that both tables have, by which they are joined. None: the only one that both have.
        time, event, dwell: columns of the events; times are seconds, other units that are times since 1970, or
            datetimes.
        amount: of the transactions, >= 0: a column of the features or one number a row.
        when: the time of the transactions, likewise: what is new and which behaviour came last is told by it.
        encoder: an encoder or its file; None = one is trained on the events.
        seed: of all that is drawn.
        known_share: of all fraud the share that is known, above 0, at most 1; None = estimated.
        shares_over: "labelled" (shares of known fraud among labelled rows), "all" (among all rows) or "auto".
        error_rate: what `significance` bounds: "familywise", the chance that any group is a false one, or
            "false_discovery", the share of false ones among the groups. significance: above 0, at most 1.
        confidence: of the intervals, 0.5 to 0.9999.
        min_share, min_fraud: of a risky group, the smallest estimated share of fraud, 0 to 1, and the fewest known
            frauds, at least 2.
        permutations: of the labels, behind the p values, 19 to 100,000.
        trees: of each forest, 0 to 10,000; 0 = without the forests. max_rules: 0 to 1,000.
        min_cluster_size: of the clusters in ``labels``, at least 2.
        scaling: of numeric features: "none", "standard", "robust", "quantile", "log" or "auto".
        search: "exact", "approximate" or "auto", which is exact up to 100,000 rows.
        embedding_weight, feature_weight: of the blocks in joined rows, above 0.
        training: options of :meth:`SequenceEncoder.train`, where an encoder is trained.

    Where there is nothing to find the result says so in ``findings``, and has no group. Cost: see ``covey_find`` in
        covey.h.
    Errors name the column: INVALID_ARGUMENT (no such column, no key), INVALID_DATA (missing or repeated keys, labels
    that are none, negative amounts, times that are not finite), MISMATCH (lengths, keys of two kinds, no key in
    common), OUT_OF_MEMORY, CANCELLED.
    """
    if events is None and features is None:
        raise InvalidArgumentError("find needs events or features, or both")
    if isinstance(encoder, (str, os.PathLike)):
        encoder = SequenceEncoder.load(encoder, context=context)
    if encoder is not None and not isinstance(encoder, SequenceEncoder):
        raise InvalidTypeError(f"encoder must be a covey.SequenceEncoder, a path or None, got {type(encoder).__name__}")
    kind, features = Kind() if features is None else Kind.of(features), held(features)
    findings: List[Finding] = []
    sequences: Optional[Sequences] = None
    roles: Dict[str, Optional[str]] = {"key": key}
    if events is not None:
        channels = (
            None if encoder is None else {"numeric": encoder.numeric_names, "categorical": encoder.categorical_names}
        )
        sequences, roles, told = join_events(
            events, features, key=key, time=time, event=event, dwell=dwell,
            uses_dwell=encoder is not None and encoder.uses_dwell, channels=channels,
        )  # fmt: skip
        findings += told
    keys = _keys(sequences, features, roles["key"])
    if sequences is not None and features is not None and keys is not None and isinstance(events, Sequences):
        sequences = sequences.align(keys) if sequences.keys is not None else sequences
    inputs = _Inputs(sequences, features, roles["key"], fraud, amount, when, encoder, findings)
    options = {
        "known_share": known_share,
        "shares_over": shares_over,
        "error_rate": error_rate,
        "significance": significance,
        "confidence": confidence,
        "min_share": min_share,
        "min_fraud": min_fraud,
        "permutations": permutations,
        "trees": trees,
        "max_rules": max_rules,
        "min_cluster_size": min_cluster_size,
        "scaling": scaling,
        "search": search,
        "embedding_weight": embedding_weight,
        "feature_weight": feature_weight,
        "training": training,
    }
    struct, kept = _options(options, seed)
    handle = c_void_p()
    with running(context) as native:
        call("covey_find", native, *inputs.arguments(), byref(struct), byref(handle))
    del kept
    found = Found(Native(handle.value, "covey_found_destroy"))
    return _completed(found, inputs, roles, keys, kind, features)


def _completed(
    found: Found, inputs: "_Inputs", roles: Dict[str, Optional[str]], keys: Any, kind: Kind, features: Any
) -> Found:
    found.findings = inputs.findings + found.findings
    found.keys, found.key_name = keys, roles["key"]
    found.sequences = inputs.sequences
    found._kind = kind
    found._inputs, found._features = inputs, features
    found._roles = {**{role: column for role, column in roles.items() if column is not None}, **inputs.named}
    codes = inputs.fraud
    found._known = None if codes is None else np.where(codes < 0, np.nan, codes).astype(np.float64)
    found.engine.columns = {role: column for role, column in roles.items() if column is not None}
    found.settings = {**found.settings, "columns": dict(found.engine.columns)}
    return found


def _keys(sequences: Optional[Sequences], features: Any, key: Optional[str]) -> Optional[NDArray[Any]]:
    if features is not None and key is not None and key in column_names(features, "features"):
        from ._keys import read_order

        return read_order(key_values(features, key), f"features[{key!r}]")
    if key is not None and features is not None and sequences is None:
        raise InvalidArgumentError(
            f"key={key!r} is not a column of features, which have {column_names(features, 'features')}"
        )
    return None if sequences is None else sequences.keys


class _Inputs:
    """What the library is handed, and what that borrows."""

    def __init__(
        self, sequences: Optional[Sequences], features: Any, key: Optional[str], fraud: Any, amount: Any, when: Any,
        encoder: Optional[SequenceEncoder], findings: List[Finding],
    ) -> None:  # fmt: skip
        self.findings = findings
        self.sequences = sequences
        self.encoder = encoder
        frame = None if features is None else EventFrame(features, "features")
        same_index(features=features, fraud=fraud, amount=amount, when=when)
        #: The roles that are columns of the features.
        self.named = {
            role: values
            for values, role in ((fraud, "fraud"), (amount, "amount"), (when, "when"))
            if isinstance(values, str)
        }
        left_out = {key} if key is not None else set()
        if isinstance(fraud, str):
            left_out.add(fraud)
        if isinstance(when, str):
            left_out.add(when)
        self.table = None if features is None else Table(features, without=left_out)
        if self.table is not None:
            findings += describe_columns(self.table)
        self.rows = self._rows()
        self.fraud = (
            None if fraud is None else label_codes(_column(frame, fraud, "fraud"), _name(fraud, "fraud"), self.rows)
        )
        if self.table is not None and self.fraud is not None:
            findings += leave_out_labels(self.table, self.fraud)
        if self.table is not None and not self.table.names and sequences is not None:
            self.table = None
        self.amounts = (
            None if amount is None
            else contiguous(_column(frame, amount, "amount"), _name(amount, "amount"), np.float64, self.rows)
        )  # fmt: skip
        if self.amounts is not None:
            _refuse(
                (self.amounts < 0) | np.isinf(self.amounts), self.amounts, _name(amount, "amount"),
                "at least 0 and finite, or NaN where it is not known", "leave refunds out, or give what they cost",
            )  # fmt: skip
        self.times: Optional[NDArray[np.float64]] = None
        if when is not None:
            times = Times.read(_column(frame, when, "when"), _name(when, "when"), None, self.rows)
            self.times = np.ascontiguousarray(times.seconds)
            _refuse(
                ~np.isfinite(self.times), self.times, _name(when, "when"), "a time", "leave the rows without one out"
            )
            findings += times.findings

    def _rows(self) -> int:
        if self.table is None:
            return 0 if self.sequences is None else len(self.sequences)
        rows = self.table.rows
        if rows == 0:
            raise InvalidDataError("features must have at least one row, got 0")
        if self.sequences is not None and len(self.sequences) != rows:
            raise MismatchError(
                f"events are {len(self.sequences)} sequences, features {rows} rows: pass key= to join them, or"
                " sequences in the order of the features"
            )
        return rows

    def arguments(self) -> Tuple[Any, ...]:
        """Those of `covey_find` from sequences to encoder."""
        batch = vocabulary = None
        self._borrowed: List[Any] = []
        if self.sequences is not None:
            layout: Any = self.encoder or layout_of(self.sequences)
            batch, borrowed = self.sequences._native(layout)
            self._borrowed = [layout, borrowed]
            vocabulary = None if self.encoder is not None else layout.vocabulary._handle()
        return (
            None if batch is None else byref(batch),
            vocabulary,
            None if self.table is None else byref(self.table.struct),
            *(None if array is None else array.ctypes.data for array in (self.fraud, self.amounts, self.times)),
            self.rows,
            None if self.encoder is None else self.encoder._handle(),
        )


def _column(frame: Optional[EventFrame], values: Any, role: str) -> Any:
    if not isinstance(values, str):
        return values
    if frame is None:
        raise InvalidArgumentError(f"{role}={values!r} names a column of features, which are None")
    return frame.column(values, role)


def _refuse(wrong: NDArray[np.bool_], values: NDArray[np.float64], name: str, what: str, advice: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidDataError(f"{name} must be {what}, got {values[row]} in row {row}: {advice}")


def _name(values: Any, role: str) -> str:
    return f"{role}={values!r}" if isinstance(values, str) else role


def _options(options: Dict[str, Any], seed: int) -> Tuple[_structs.FindOptions, List[Any]]:
    struct = _structs.FindOptions(seed=integer(seed, "seed", signed=False))
    kept: List[Any] = []
    for name, value in options.items():
        if name in _CHOICES:
            setattr(struct, name, choice(value, name, _CHOICES[name]))
        elif name in _INTEGERS:
            setattr(struct, name, integer(value, name))
        elif name in _REALS:
            setattr(struct, name, 0.0 if value is None and name == "known_share" else real(value, name))
        elif value is not None:
            if not isinstance(value, Mapping):
                raise InvalidTypeError(f"training must be a mapping of options, got {type(value).__name__}")
            training = training_options(dict(value))
            kept.append(training)
            struct.training = pointer(training)
    return struct, kept
