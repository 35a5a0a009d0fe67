"""The stages of calls in Python's log, for a program that listens to the logger "covey"."""

from __future__ import annotations

import sys
import time
from typing import Any, Optional


class StageLog:
    """Writes each stage of a call with its seconds, when the stage has ended."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._stage: Optional[str] = None
        self._begun = 0.0

    def report(self, stage: str) -> None:
        """Called at most about 50 times a second."""
        if stage != self._stage:
            self.close()
            self._stage, self._begun = stage, time.monotonic()

    def close(self) -> None:
        """The call has ended."""
        if self._stage is not None:
            self._logger.info("%s: %.2f s", self._stage, time.monotonic() - self._begun)
            self._stage = None


def stage_log() -> Optional[StageLog]:
    """None unless the program has imported `logging` and wants messages of the level INFO."""
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    logger = logging.getLogger("covey")
    return StageLog(logger) if logger.isEnabledFor(logging.INFO) else None
