"""A line on standard error about a call that takes long, in terminals and notebooks, if nobody asked for
another."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Optional

#: Seconds before anything is shown, and between two lines.
_PATIENCE = 2.0
_STEP = 0.5


def is_watched() -> bool:
    """Whether a person sees standard error: a terminal or a notebook."""
    stream = sys.stderr
    if stream is None or threading.current_thread() is not threading.main_thread():
        return False
    try:
        if stream.isatty():
            return True
    except (AttributeError, ValueError):
        return False
    shell: Any = sys.modules.get("IPython")
    found = None if shell is None else shell.get_ipython()
    return getattr(found, "kernel", None) is not None


class ProgressLine:
    """Stage, share and the time that is left, by the pace of the stage so far."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._stage: Optional[str] = None
        self._stage_begun = self._written = self._begun
        self._width = 0

    def report(self, stage: str, fraction: float) -> None:
        """Called at most about 50 times a second."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._stage_begun = stage, now
        if now - self._begun < _PATIENCE or now - self._written < _STEP:
            return
        self._written = now
        spent = now - self._stage_begun
        left = f", {_duration(spent * (1 - fraction) / fraction)} left" if fraction > 0.02 and spent > 1 else ""
        self._write(f"covey: {stage} {fraction:.0%}{left}")

    def close(self) -> None:
        """Leaves an empty line."""
        if self._width:
            self._write("")
            self._put("\r")

    def _write(self, text: str) -> None:
        shown = "".join(letter if letter.isprintable() else "?" for letter in text)[:100]
        self._put("\r" + shown.ljust(self._width))
        self._width = len(shown)

    def _put(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):  # nobody is there any more
            pass


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
