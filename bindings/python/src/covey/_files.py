"""Files of the library in memory: what a pickle keeps of an object."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_void_p

from ._handle import Native
from ._library import call, library
from .context import running


def file_bytes(name: str, handle: Native) -> bytes:
    """What covey_..._write gives."""
    pointer = c_void_p()
    with running(None) as native:
        call(name, handle, native, byref(pointer))
    made = Native(pointer.value, "covey_bytes_destroy")
    return ctypes.string_at(library.covey_bytes_data(made), library.covey_bytes_size(made))


def read_bytes(name: str, data: bytes, destroy: str) -> Native:
    """The handle that covey_..._read gives."""
    pointer = c_void_p()
    with running(None) as native:
        call(name, native, ctypes.cast(ctypes.c_char_p(data), c_void_p), len(data), byref(pointer))
    return Native(pointer.value, destroy)
