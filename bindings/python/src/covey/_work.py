"""Long calculations in Python that keep to a context: its memory budget, its progress and its cancel."""

from __future__ import annotations

import os
import time
from typing import Any, Optional

from ._errors import CancelledError, InvalidTypeError, OutOfMemoryError
from .context import Context

#: Seconds between two reports of progress, as the library keeps them.
_BETWEEN = 0.02


class Work:
    """``with Work(context) as work:`` a part of a call that Python does itself.

    ``work.check`` between two blocks stops it where the context is cancelled or its progress callback says so;
    ``work.take`` counts memory. ``work.context`` is for calls of the library inside: it has what is left of the
    budget."""

    def __init__(self, context: Optional[Context]) -> None:
        if context is not None and not isinstance(context, Context):
            raise InvalidTypeError(f"context must be a covey.Context or None, got {type(context).__name__}")
        self._parent = context
        self._taken = 0
        self._reported = 0.0
        self._cancelled = False
        self.context = context

    def __enter__(self) -> "Work":
        if self._parent is not None:
            self._parent._begin(self)
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._parent is not None:
            self._parent._end(self)
        if error is None and self._cancelled:
            raise CancelledError("the call was cancelled")

    def cancel(self) -> None:
        """From any thread."""
        self._cancelled = True
        if self.context is not None and self.context is not self._parent:
            self.context.cancel()

    def take(self, size: int, what: str) -> None:
        """Counts `size` bytes that stay until the work ends. Raises OUT_OF_MEMORY above the budget."""
        given = 0 if self._parent is None else self._parent.memory_budget
        budget = given or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if self._taken + size > budget:
            raise OutOfMemoryError(f"{what} needs {self._taken + size} bytes, above the memory budget of {budget}")
        self._taken += size
        if self._parent is not None and given:
            left = max(1, given - self._taken)  # 0 is the word for no budget
            self.context = Context(self._parent.threads, left, self._parent.progress)

    def check(self, stage: str, fraction: float) -> None:
        """Raises CANCELLED, or what the progress callback raises."""
        progress, now = None if self._parent is None else self._parent.progress, time.monotonic()
        if progress and now - self._reported >= _BETWEEN and not self._cancelled:
            self._reported = now
            self._cancelled = bool(progress(stage, fraction))
        if self._cancelled:
            raise CancelledError("the call was cancelled")
