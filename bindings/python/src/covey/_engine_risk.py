"""New labels of the rows of an engine: a part of :class:`covey.Engine`."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, Optional, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked_methods
from ._arrays import contiguous, seconds
from ._engine_files import EngineFiles
from ._errors import InvalidArgumentError, MismatchError
from ._handle import Native
from ._labels import label_codes
from ._library import call, library
from ._pairing import same_index, same_rows
from .context import Context, running

R = TypeVar("R", bound="EngineRisk")


@checked_methods
class EngineRisk(EngineFiles):
    """The rows of an engine and the risk that their labels say."""

    @property
    def rows(self) -> int:
        """Rows of the clustering inside."""
        return int(library.covey_engine_rows(self._handle()))

    def rerate(
        self: R,
        fraud: Any,
        keys: Any = None,
        amounts: Any = None,
        times: Any = None,
        *,
        context: Optional[Context] = None,
    ) -> R:
        """The same engine with new labels of the rows that its clustering was made of, since chargebacks come late:
        risk is worked out again, with the options that it had; clustering, hybrid features, encoder and rules stay.

        Args:
            fraud: one a row, as for :func:`covey.cluster_risk`; in the order of the rows, or in that of `keys`.
            keys: which transaction each label is of; rows that none names are unknown. For engines that were built of
                transactions with keys, in the process that built them.
            amounts, times: one for each label. With keys, rows that none names have amount 0 and the earliest time.

        Errors: INVALID_ARGUMENT, INVALID_DATA, MISMATCH (another number of rows, keys that the engine does not know).
        """
        handle, rows = self._handle(), self.rows
        same_index(fraud=fraud, keys=keys, amounts=amounts, times=times)
        if keys is None:
            for labels in (range(rows), self._keys or ()):
                same_rows(labels, "the labels of the engine's rows", fraud=fraud, amounts=amounts, times=times)
        known = label_codes(fraud, "fraud", rows if keys is None else len(fraud))
        money = None if amounts is None else contiguous(amounts, "amounts", np.float64, len(known))
        when = None if times is None else np.ascontiguousarray(seconds(times, "times", len(known)))
        if keys is not None:
            places = self._places(keys, len(known))
            known = _spread(known, places, np.int8(-1), rows)
            money = None if money is None else _spread(money, places, np.float64(0), rows)
            when = None if when is None else _spread(when, places, when.min() if len(when) else np.float64(0), rows)
        pointer = c_void_p()
        with running(context) as native:
            call(
                "covey_engine_rerate",
                handle,
                native,
                known.ctypes.data,
                None if money is None else money.ctypes.data,
                None if when is None else when.ctypes.data,
                rows,
                None,
                byref(pointer),
            )
        engine = self._wrap(Native(pointer.value, "covey_engine_destroy"))
        engine._keys, engine.columns = self._keys, dict(self.columns)
        return engine

    def _places(self, keys: Any, count: int) -> NDArray[np.int64]:
        """The row of each key."""
        if self._keys is None:
            raise MismatchError("keys must be None: this engine does not know the keys of its rows")
        given = list(keys)
        if len(given) != count:
            raise MismatchError(f"keys has {len(given)} values, fraud has {count}")
        known = {key: row for row, key in enumerate(self._keys)}
        places = np.empty(count, dtype=np.int64)
        for index, key in enumerate(given):
            if key not in known:
                raise MismatchError(f"keys[{index}] is {key!r}, which is no row of the engine")
            places[index] = known[key]
        if len(np.unique(places)) != count:
            raise InvalidArgumentError("keys names a row twice")
        return places


def _spread(values: NDArray[Any], places: NDArray[np.int64], missing: Any, rows: int) -> NDArray[Any]:
    """Values at their rows, others missing."""
    result = np.full(rows, missing, dtype=values.dtype)
    result[places] = values
    return result
