"""How objects are displayed in notebooks."""

from __future__ import annotations

import dataclasses
import enum
import html
from typing import Any, Iterable, List, Tuple

_MOST_ROWS = 10


class Shown:
    """Base of what a notebook displays as HTML: a heading, and a table of the first rows or of the fields."""

    def _repr_html_(self) -> str:
        return html_of(self)


def html_of(value: Any) -> str:
    """A heading and a table. Names and texts of the data are escaped: nothing in them is markup."""
    from .report.escape import shortened, visible

    heading = f"<p><b>{html.escape(shortened(type(value).__name__))}</b></p>"
    if getattr(value, "closed", False) is True:
        return f"{heading}<p>closed</p>"
    table = _rows_of(value)
    if table is None:
        return f"<pre>{html.escape(visible_lines(str(value)))}</pre>"
    names, rows, left = table
    head = "".join(f"<th>{html.escape(visible(name))}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(_text(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    more = f"<p>and {left:,} more</p>" if left else ""
    first = html.escape(visible(repr(value))) if not dataclasses.is_dataclass(value) else ""
    about = f"<p>{first}</p>" if first else heading
    return f"{about}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def visible_lines(text: str) -> str:
    """Lines of a text, without characters that hide or reorder others."""
    from .report.escape import visible

    return "\n".join(visible(line) for line in text.split("\n"))


def _rows_of(value: Any) -> "Tuple[List[str], List[List[Any]], int] | None":
    """Names and cells of the first rows, and how many rows are left; None if there is no table."""
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value) if field.repr or field.name == "text"]
        return ["field", "value"], [[name, getattr(value, name)] for name in fields], 0
    if not hasattr(value, "to_frame"):
        return None
    try:
        frame = value.to_frame()
    except ImportError:
        return None
    if type(frame).__module__.partition(".")[0] == "pandas":
        named = frame.index.name is not None or frame.index.dtype.kind == "O"
        first = frame.head(_MOST_ROWS)
        cells = [list(row) for row in first.itertuples(index=named, name=None)]
        names = ([str(frame.index.name or "")] if named else []) + [str(name) for name in frame.columns]
        return names, cells, len(frame) - len(first)
    return None


def _text(value: Any) -> str:
    """A value as a cell of a table shows it."""
    from .report.escape import shortened

    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value)
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, (tuple, list)):
        return shortened(_joined(value), 300)
    return shortened(value, 300)


def _joined(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values)
