"""What went wrong: one exception class a status code, all of them :class:`CoveyError`."""

from __future__ import annotations

import enum
from typing import Any


class StatusCode(enum.IntEnum):
    """The outcome of a call, as in covey.h section 2. Codes are fixed for ever."""

    OK = 0
    INVALID_ARGUMENT = 1
    INVALID_DATA = 2
    MISMATCH = 3
    OUT_OF_MEMORY = 4
    CANCELLED = 5
    IO = 6
    CORRUPT_FILE = 7
    UNSUPPORTED = 8
    BUFFER_TOO_SMALL = 9
    INTERNAL = 10


class CoveyError(Exception):
    """Any failure of Covey. The message names the field and the value.

    Attributes:
        code: the :class:`StatusCode`. Errors found in Python before the C call carry the code that the C call would
            give.

    Every code has a subclass that is also the built-in exception a Python programmer expects, so both
    ``except covey.CoveyError`` and ``except ValueError`` work.
    """

    code: StatusCode = StatusCode.INTERNAL
    #: The :class:`covey.TrainingReport` of a training that ended before its end; None for any other call.
    training: Any = None

    def __init__(self, message: str) -> None:
        if not message.isprintable():
            # What other libraries and files say of a failure: a terminal must not obey it.
            from .report.escape import visible

            message = visible(message)
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message,)


class InvalidArgumentError(CoveyError, ValueError):
    """An option out of range, a bad name, a closed handle."""

    code = StatusCode.INVALID_ARGUMENT


class InvalidTypeError(InvalidArgumentError, TypeError):
    """A Python object of the wrong type, a dtype that cannot be used."""


class NotFoundError(InvalidArgumentError, IndexError, KeyError):
    """No item of that index or name in a collection of results."""


class UnavailableError(InvalidArgumentError, AttributeError):
    """A result that was not asked for when fitting (``prediction_data=False``) or lost (after unpickling)."""


class InvalidDataError(CoveyError, ValueError):
    """Input numbers that cannot be used: NaN or infinity where refused, offsets that decrease."""

    code = StatusCode.INVALID_DATA


class MismatchError(CoveyError, ValueError):
    """Inputs that do not fit together or the model: row counts, columns, channels."""

    code = StatusCode.MISMATCH


class OutOfMemoryError(CoveyError, MemoryError):
    """More than the context's memory budget, or the system, allows."""

    code = StatusCode.OUT_OF_MEMORY


class CancelledError(CoveyError, RuntimeError):
    """Stopped by :meth:`covey.Context.cancel` or by the progress callback."""

    code = StatusCode.CANCELLED


class FileError(CoveyError, OSError):
    """Opening, reading, writing, syncing or renaming a file failed."""

    code = StatusCode.IO


class CorruptFileError(CoveyError, ValueError):
    """A file or JSON text that is truncated, hostile or inconsistent."""

    code = StatusCode.CORRUPT_FILE


class UnsupportedError(CoveyError, NotImplementedError):
    """Well formed, but from a newer version or not available in this build."""

    code = StatusCode.UNSUPPORTED


class BufferTooSmallError(CoveyError, RuntimeError):
    """A buffer below what the size query says: a defect in this package."""

    code = StatusCode.BUFFER_TOO_SMALL


class InternalError(CoveyError, RuntimeError):
    """A defect in Covey; please report it with the message."""

    code = StatusCode.INTERNAL


_CLASSES: dict[int, type[CoveyError]] = {
    int(kind.code): kind
    for kind in (
        InvalidArgumentError,
        InvalidDataError,
        MismatchError,
        OutOfMemoryError,
        CancelledError,
        FileError,
        CorruptFileError,
        UnsupportedError,
        BufferTooSmallError,
        InternalError,
    )
}


def error_for(status: int, message: str) -> CoveyError:
    """The exception of a status; codes of a newer library come as :class:`InternalError` with the number in the
    text."""
    kind = _CLASSES.get(status)
    return kind(message) if kind else InternalError(f"status {status}: {message}")
