"""Finds libcovey.so, binds its functions when they are first used, and turns a status into an exception."""

from __future__ import annotations

import ctypes
import os
import re
import threading
from pathlib import Path
from typing import Any

from ._errors import CoveyError, FileError, UnsupportedError, error_for
from ._prototypes import PROTOTYPES

_MAJOR = 1
_SONAME = f"libcovey.so.{_MAJOR}"


def _candidates() -> list[str]:
    """Where the library is looked for, in this order."""
    package = Path(__file__).resolve().parent
    found = os.environ.get("COVEY_LIBRARY")
    if found:
        return [found]
    places = [package / "_native" / _SONAME]  # the wheel's own
    parents = package.parents
    if len(parents) > 3 and (parents[3] / "include" / "covey.h").exists():
        places.append(parents[3] / ".build-out" / "lib" / _SONAME)  # a checkout that was built with `make build`
    return [str(place) for place in places if place.exists()] or [_SONAME]  # else the system's


class Library:
    """The functions of covey.h as attributes. Loading and binding are lazy and happen once, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._native: ctypes.CDLL | None = None
        self.path: str | None = None

    def _open(self) -> ctypes.CDLL:
        with self._lock:
            if self._native is None:
                place = _candidates()[0]
                try:
                    native = ctypes.CDLL(place)
                except OSError as failure:
                    raise FileError(
                        f"cannot load {place}: {failure} (build it with `make build`, or name it in COVEY_LIBRARY)"
                    ) from failure
                number = native.covey_version_number
                number.restype = ctypes.c_int32
                if number() // 10000 != _MAJOR:
                    raise UnsupportedError(f"{place} has version number {number()}; this package needs {_MAJOR}.x")
                self._native, self.path = native, place
            return self._native

    def __getattr__(self, name: str) -> Any:
        if name not in PROTOTYPES:
            raise AttributeError(name)
        try:
            function = getattr(self._open(), name)
        except AttributeError:
            raise UnsupportedError(f"{self.path} has no {name}: it is older than this package") from None
        function.restype, function.argtypes = PROTOTYPES[name]
        setattr(self, name, function)
        return function


library = Library()


def call(name: str, *arguments: Any) -> None:
    """Calls a function that returns a status and takes an error last; raises :class:`CoveyError`."""
    error = ctypes.c_void_p()
    status = getattr(library, name)(*arguments, ctypes.byref(error))
    if status != 0:
        raise _take(status, error)


def _take(status: int, error: ctypes.c_void_p) -> CoveyError:
    message = text(library.covey_error_message(error)) or text(library.covey_status_name(status))
    library.covey_error_destroy(error)
    return error_for(status, _in_python(message or f"status {status}"))


def _in_python(message: str) -> str:
    """A message with the fields of C's structs as Python's arguments."""
    message = re.sub(r"\boptions\.limits\[\d+\] \((.*?)\): cost ", r"costs['\1'] ", message)
    message = re.sub(r"\boptions\.limits\[\d+\] \((.*?)\): low ", r"bounds['\1']: low ", message)
    return re.sub(r"\boptions\.(?=[a-z])", "", message)


def text(value: bytes | None) -> str | None:
    """A C string of the library."""
    return None if value is None else value.decode("utf-8")


def required_text(value: bytes | None) -> str:
    """A C string that the header says is there."""
    if value is None:
        raise error_for(10, "the library returned no text where the header promises one")
    return value.decode("utf-8")


def library_version() -> str:
    """The version of the loaded libcovey, "major.minor.patch"."""
    return required_text(library.covey_version())
