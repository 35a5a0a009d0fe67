"""Rule sets in other languages: the options of covey_rules_export (covey.h section 10)."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, Optional

from . import _structs
from ._arguments import checked
from ._arrays import c_string, choice
from ._errors import InvalidTypeError
from ._handle import Native, buffer_bytes
from ._library import call
from .context import Context, running

FORMATS = {"json": 0, "sql": 1, "drl": 2, "dmn": 3, "pmml": 4, "python": 5, "c": 6, "java": 7, "json-schema": 8}
_DIALECTS = {"ansi": 0, "postgresql": 1, "sqlite": 2, "duckdb": 3, "spark": 4, "bigquery": 5}


@checked
def export(
    rules: Native,
    format: str,
    context: Optional[Context],
    dialect: str = "ansi",
    timestamps: bool = False,
    time_zone: Optional[str] = None,
    table: Optional[str] = None,
    schema: Optional[str] = None,
    catalog: Optional[str] = None,
    name: Optional[str] = None,
) -> str:
    """The set as text; see :meth:`covey.RuleSet.export`."""
    if not isinstance(timestamps, bool):
        raise InvalidTypeError(f"timestamps must be True or False, got {timestamps!r}")
    texts: dict[str, Any] = {"time_zone": time_zone, "table": table, "schema": schema, "catalog": catalog, "name": name}
    options = _structs.ExportOptions(
        dialect=choice(dialect, "dialect", _DIALECTS),
        timestamps=int(timestamps),
        **{field: None if value is None else c_string(value, field) for field, value in texts.items()},
    )
    pointer = c_void_p()
    with running(context) as native:
        call("covey_rules_export", rules, native, choice(format, "format", FORMATS), byref(options), byref(pointer))
    return buffer_bytes(pointer.value).decode("utf-8")
