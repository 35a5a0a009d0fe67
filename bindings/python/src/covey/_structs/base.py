"""What the structs share (structs of covey.h)."""

from __future__ import annotations

from ctypes import Structure, sizeof
from typing import Any, ClassVar


class Versioned(Structure):
    """A struct that begins with ``struct_size``; created as its ``COVEY_..._INIT`` macro says."""

    _defaults_: ClassVar[dict[str, Any]] = {}

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"struct_size": sizeof(type(self)), **self._defaults_, **values})
