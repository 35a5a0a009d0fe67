"""An engine as a file or as bytes: a part of :class:`covey.Engine`."""

from __future__ import annotations

import os
from ctypes import byref, c_void_p
from typing import Any, Optional, TypeVar, Union

import numpy as np

from ._arguments import checked_methods
from ._arrays import path_bytes
from ._engine_cases import EngineCases
from ._errors import InvalidTypeError
from ._handle import Native, buffer_bytes
from ._library import call, library, required_text
from ._column import KINDS
from .context import Context, running
from .encoder import SequenceEncoder

E = TypeVar("E", bound="EngineFiles")


@checked_methods
class EngineFiles(EngineCases):
    """The methods of an engine that write it and read it back."""

    _hash: Optional[str]
    _keys: Any

    @classmethod
    def _wrap(cls: type[E], native: Native) -> E:
        engine = cls.__new__(cls)
        engine._native = native
        engine.columns = {}
        engine._hash = engine._keys = None
        engine._features = {
            required_text(library.covey_engine_feature_name(native, index)): KINDS[
                library.covey_engine_feature_kind(native, index)
            ]
            for index in range(library.covey_engine_feature_count(native))
        }
        pointer = library.covey_engine_encoder(native)
        engine._encoder = None if pointer is None else SequenceEncoder._wrap(Native(pointer, None, keep=native))
        return engine

    @classmethod
    def load(cls: type[E], path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> E:
        """Reads an engine file. Errors: IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY."""
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_load", native, path_bytes(path), byref(pointer))
        return cls._wrap(Native(pointer.value, "covey_engine_destroy"))

    def save(self, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> None:
        """Writes the one file (safetensors) whole or not at all. A file that is replaced keeps its mode and owner; a
        symbolic link is followed. Errors: IO, OUT_OF_MEMORY, CANCELLED."""
        with running(context) as native:
            call("covey_engine_save", self._handle(), native, path_bytes(path))

    def to_bytes(self, *, context: Optional[Context] = None) -> bytes:
        """The bytes of the engine's file, for a database or an object store; :meth:`from_bytes` reads them."""
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_write", self._handle(), native, byref(pointer))
        return buffer_bytes(pointer.value)

    @classmethod
    def from_bytes(cls: type[E], data: Any, *, context: Optional[Context] = None) -> E:
        """Reads what :meth:`to_bytes` gave: bytes or anything with a buffer. Errors: CORRUPT_FILE, UNSUPPORTED,
        OUT_OF_MEMORY."""
        try:
            given = np.frombuffer(data, dtype=np.uint8)
        except (TypeError, ValueError, BufferError) as failure:
            raise InvalidTypeError(f"data must be bytes, got {type(data).__name__}: {failure}") from None
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_read", native, given.ctypes.data, len(given), byref(pointer))
        return cls._wrap(Native(pointer.value, "covey_engine_destroy"))

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that engines of the same content share. O(size) when it is first asked for."""
        handle = self._handle()
        if self._hash is None:
            pointer = c_void_p()
            with running(None) as native:
                call("covey_engine_hash", handle, native, byref(pointer))
            self._hash = buffer_bytes(pointer.value).decode("ascii")
        return self._hash
