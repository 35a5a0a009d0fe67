"""Events and features as :meth:`Engine.score` takes them, as the structs of the library."""

from __future__ import annotations

from ctypes import byref
from typing import Any, Dict, List, Optional

import numpy as np

from ._errors import InvalidTypeError
from ._find_inputs import join_events
from ._findings import Finding
from ._keys import alignment
from ._table import Table, feature_keys, held
from .encoder import SequenceEncoder
from .sequences import Sequences


class Transactions:
    """Borrowed structs of transactions; keeps what they borrow."""

    def __init__(
        self,
        encoder: Optional[SequenceEncoder],
        kinds: Dict[str, str],
        columns: Dict[str, str],
        events: Any,
        features: Any,
        roles: Dict[str, Optional[str]],
    ) -> None:
        """`kinds` and `columns` are those of the engine, `roles` what the caller says of the columns of tables."""
        if events is not None and encoder is None:
            raise InvalidTypeError("events must be None: this engine has no encoder")
        features = held(features)
        self.findings: List[Finding] = []
        self.sequences = self._sequences(encoder, columns, events, features, roles)
        self._sequence_struct = self._borrowed = None
        if self.sequences is not None and encoder is not None:
            name = columns.get("key") or self.sequences.key_name
            keys, _ = feature_keys(features, roles.get("key"), name, own=self.sequences.key_name)
            chosen = alignment(self.sequences.keys, keys, ("the sequences", "the features"))
            if chosen is not None:
                self.sequences = self.sequences[chosen]
            self._sequence_struct, self._borrowed = self.sequences._native(encoder)
        self._table = None if features is None else Table(features, kinds=kinds)

    def _sequences(
        self,
        encoder: Optional[SequenceEncoder],
        columns: Dict[str, str],
        events: Any,
        features: Any,
        roles: Dict[str, Optional[str]],
    ) -> Optional[Sequences]:
        if events is None or encoder is None or isinstance(events, Sequences):
            return events if isinstance(events, Sequences) else None
        if isinstance(events, np.ndarray) and events.dtype.names is None:
            raise InvalidTypeError(f"events must be a covey.Sequences or a table, got a {type(events).__name__}")
        joined, _, self.findings = join_events(
            events,
            features,
            key=roles.get("key") or columns.get("key"),
            time=roles.get("time") or columns.get("time") or "time",
            event=roles.get("event") or columns.get("event") or "event",
            dwell=roles.get("dwell") or columns.get("dwell"),
            uses_dwell=encoder.uses_dwell,
            channels={"numeric": encoder.numeric_names, "categorical": encoder.categorical_names},
        )
        return joined

    @property
    def sequence_pointer(self) -> Any:
        """The `covey_sequences`, or None."""
        return None if self._sequence_struct is None else byref(self._sequence_struct)

    @property
    def table_pointer(self) -> Any:
        """The `covey_table`, or None."""
        return None if self._table is None else byref(self._table.struct)
