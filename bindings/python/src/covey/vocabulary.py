"""The event types that a model knows (covey.h section 5)."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, Iterable, Iterator, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked_methods
from ._arrays import as_array, integer
from ._errors import InvalidTypeError, NotFoundError
from ._handle import Handle, Native
from ._library import call, library, required_text
from ._strings import Names, factorise
from .context import Context, running


@checked_methods
class Vocabulary(Handle):
    """Names and their indices: 0 is the unknown entry, ``names[0]`` has index 1.

    Example::

        vocabulary = covey.Vocabulary.build(["home", "pay", "home"])
        vocabulary.lookup(["pay", "unheard of"])  # 2 and 0

    Args:
        names: distinct, not empty, valid Unicode. Errors: INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED.

    Immutable; any number of threads may use it. ``len`` counts the unknown entry too.
    """

    def __init__(self, names: Iterable[str], *, context: Optional[Context] = None) -> None:
        strings = Names(_texts(names, "names"), "names")
        pointer = c_void_p()
        with running(context) as native:
            call("covey_vocabulary_create", native, strings.address, strings.count, byref(pointer))
        self._native = Native(pointer.value, "covey_vocabulary_destroy")

    @classmethod
    def build(
        cls, events: Iterable[str], min_count: int = 1, max_size: int = 0, *, context: Optional[Context] = None
    ) -> "Vocabulary":
        """The names that occur at least `min_count` times among `events` (one string an event), most frequent first,
        ties by their UTF-8 bytes, at most `max_size` of them (0 = no limit). O(events).
        Errors: INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED."""
        strings = Names(_texts(events, "events"), "events")
        pointer = c_void_p()
        least, most = integer(min_count, "min_count"), integer(max_size, "max_size")
        with running(context) as native:
            call("covey_vocabulary_build", native, strings.address, strings.count, least, most, byref(pointer))
        return cls._wrap(Native(pointer.value, "covey_vocabulary_destroy"))

    @classmethod
    def _wrap(cls, native: Native) -> "Vocabulary":
        vocabulary = cls.__new__(cls)
        vocabulary._native = native
        return vocabulary

    @property
    def names(self) -> list[str]:
        """The names of the entries 1, 2, ..."""
        return list(self)[1:]

    def __len__(self) -> int:
        return int(library.covey_vocabulary_size(self._handle()))

    def __iter__(self) -> Iterator[str]:
        handle = self._handle()
        for index in range(library.covey_vocabulary_size(handle)):
            yield required_text(library.covey_vocabulary_name(handle, index))

    def __getitem__(self, index: int) -> str:
        """An entry's name, "" for the unknown one (index 0). Raises NotFoundError, which is an IndexError, outside."""
        name = library.covey_vocabulary_name(self._handle(), integer(index, "index"))
        if name is None:
            raise NotFoundError(f"index must be 0 to {len(self) - 1}, got {index}")
        return required_text(name)

    def lookup(self, names: Any, *, context: Optional[Context] = None) -> NDArray[np.int32]:
        """The index of each name (array-like of strings), 0 if it is unknown or missing (None, NaN)."""
        array = as_array(names, "names")
        distinct, codes = factorise(array.reshape(-1), "names")
        return self._indices(distinct, context)[codes].reshape(array.shape)

    def _indices(self, names: Sequence[str], context: Optional[Context] = None) -> NDArray[np.int32]:
        """The indices of distinct names, and a last 0, which the code -1 (missing) selects."""
        strings = Names(names, "names")
        indices = np.zeros(strings.count + 1, dtype=np.int32)
        with running(context) as native:
            call("covey_vocabulary_lookup", self._handle(), native, strings.address, strings.count, indices.ctypes.data)
        return indices

    def __repr__(self) -> str:
        return "Vocabulary(closed)" if self.closed else f"Vocabulary of {len(self)} entries"

    def __reduce__(self) -> Any:
        return Vocabulary, (self.names,)


def _texts(values: Iterable[Any], name: str) -> Iterable[Any]:
    if isinstance(values, (str, bytes)):
        raise InvalidTypeError(f"{name} must be a list of strings, got one string")
    try:
        return list(values)
    except TypeError:
        raise InvalidTypeError(f"{name} must be a list of strings, got {type(values).__name__}") from None
