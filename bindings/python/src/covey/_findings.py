"""What is odd about the data: told, and never a reason to stop."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Iterable, Optional

from ._html import Shown


class DataWarning(UserWarning):
    """Something in the data that is likely not what was meant; see :class:`Finding`."""


@dataclasses.dataclass(frozen=True)
class Finding(Shown):
    """Something odd in the data, and what to do about it."""

    #: A word that programs can compare: "time_unit", "events_without_transaction", ...
    code: str
    #: A sentence with the figures.
    text: str
    #: What to do; "" where there is nothing to do.
    advice: str = ""
    #: The column, where it is about one.
    column: Optional[str] = None

    def __str__(self) -> str:
        return f"{self.text}: {self.advice}" if self.advice else self.text


def tell(findings: Iterable[Finding], stacklevel: int = 3) -> None:
    """Each as a :class:`DataWarning`, which Python shows once for each place in the caller's program."""
    for finding in findings:
        warnings.warn(str(finding), DataWarning, stacklevel=stacklevel + 1)
