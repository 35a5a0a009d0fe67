"""Transactions as they are given to an engine: events and features that belong together."""

from __future__ import annotations

import dataclasses
from ctypes import byref
from typing import TYPE_CHECKING, Any, Optional

from . import _structs
from ._errors import InvalidTypeError
from ._findings import Finding
from ._keys import alignment
from ._output import Kind
from ._table import Table, feature_keys, held
from .sequences import Sequences

if TYPE_CHECKING:
    from .engine import Engine


@dataclasses.dataclass
class Given:
    """Transactions as the library takes them."""

    struct: Optional[_structs.Sequences]
    table: Optional[Table]
    #: In the order of the features.
    sequences: Optional[Sequences]
    #: What `struct` points to.
    borrowed: Any
    keys: Any
    key_name: Optional[str]
    #: Of the features.
    kind: Kind
    findings: list[Finding]

    def pointers(self) -> tuple[Any, Any]:
        """The arguments for sequences and features."""
        return (
            None if self.struct is None else byref(self.struct),
            None if self.table is None else byref(self.table.struct),
        )


def given_transactions(
    engine: "Engine",
    events: Any,
    features: Any,
    key: Optional[str],
    time: Optional[str],
    event: Optional[str],
    dwell: Optional[str],
) -> Given:
    """Reads what :meth:`Engine.score` takes; sequences come in the order of the features."""
    encoder = engine._encoder
    if events is not None and encoder is None:
        raise InvalidTypeError("events must be None: this engine has no encoder")
    kind, features = Kind.of(features), held(features)
    sequences, findings = engine._sequences(events, features, key, time, event, dwell)
    struct = borrowed = own = own_name = None
    if sequences is not None:
        own, own_name = sequences.keys, sequences.key_name
    keys, key_name = feature_keys(features, key, engine.columns.get("key") or own_name, own=own_name)
    if sequences is not None and encoder is not None:
        chosen = alignment(own, keys, ("the sequences", "the features"))
        sequences = sequences if chosen is None else sequences[chosen]
        struct, borrowed = sequences._native(encoder)
    table = None if features is None else Table(features, kinds=engine._features)
    if keys is None:
        keys, key_name = own, own_name
    return Given(struct, table, sequences, borrowed, keys, key_name, kind, findings)
