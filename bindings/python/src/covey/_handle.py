"""Handles of the library: freed once, never while a call uses them."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from ._html import Shown
from ._errors import InvalidArgumentError, InvalidTypeError
from ._library import library


class Native:
    """Owns one pointer. A running call holds a reference to it, so that closing elsewhere cannot free it meanwhile."""

    __slots__ = ("_as_parameter_", "_destroy", "_keep")

    def __init__(self, pointer: int | None, destroy: str | None, keep: object = None) -> None:
        self._as_parameter_ = pointer
        # Bound now: at interpreter exit module globals may be gone when __del__ runs.
        self._destroy: Callable[[int | None], None] | None = getattr(library, destroy) if destroy else None
        self._keep = keep  # the owner of a borrowed pointer

    @property
    def address(self) -> int | None:
        return self._as_parameter_

    def __reduce__(self) -> Any:
        raise InvalidTypeError("a handle of the library cannot be pickled or copied")

    def __del__(self) -> None:
        if self._destroy is not None:
            self._destroy(self._as_parameter_)


def buffer_bytes(pointer: int | None) -> bytes:
    """The bytes of a buffer, which is freed."""
    owner = Native(pointer, "covey_buffer_destroy")
    data, size = library.covey_buffer_data(owner), library.covey_buffer_size(owner)
    return ctypes.string_at(data, size) if data else b""


def made_by_library(native: Any, hint: str) -> Native:
    """`native`, where an object was made by this package and not by calling its class."""
    if not isinstance(native, Native):
        raise InvalidTypeError(hint)
    return native


class Handle(Shown):
    """Base of the objects that own a handle: ``close()``, ``with``, freed when collected.

    Handles are immutable and may be used from any number of threads; ``close`` waits for nobody and disturbs nobody:
    calls that run keep the handle until they return. Using a closed object raises ``CoveyError``
    (INVALID_ARGUMENT).
    """

    _native: Native | None = None

    def _handle(self) -> Native:
        native = self._native
        if native is None:
            raise InvalidArgumentError(f"this {type(self).__name__} is closed")
        return native

    def close(self) -> None:
        """Frees the handle, once calls that still run return. A second call does nothing."""
        self._native = None

    @property
    def closed(self) -> bool:
        return self._native is None

    def __enter__(self) -> Any:
        self._handle()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        ways = [name for name in ("save", "to_bytes", "to_json") if hasattr(type(self), name)]
        hint = f": {' and '.join(ways)} keep it" if ways else ""
        raise InvalidTypeError(f"this {type(self).__name__} cannot be pickled or copied{hint}")
