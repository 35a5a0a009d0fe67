"""`covey.report`: the case report of a result or an engine, as HTML, JSON, Markdown or text."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Dict, Optional, Union

from .._arguments import checked, checked_methods
from .._arrays import choice, integer, path_of
from .._errors import InvalidArgumentError, InvalidTypeError
from .._whole_file import write_whole
from . import plots
from .catalogue import Catalogue, Templates
from .model import Options, build
from .narrative import tell
from .page import MOST_BYTES, write_page
from .plain import write_markdown, write_text
from .source import read_source

_FORMATS = {"html": 0, "json": 1, "markdown": 2, "text": 3}
_SUFFIXES = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
}


@checked_methods
class Report:
    """A case report, ready to be written in any format.

    Attributes:
        model: all that it shows, as plain data; ``covey/report/schema.json`` describes it.
    """

    def __init__(self, model: Dict[str, Any], texts: Catalogue, title: str, max_bytes: int) -> None:
        self.model = model
        self._texts, self._title, self._max_bytes = texts, title, max_bytes

    def to_html(self) -> str:
        """One page that needs nothing else."""
        return write_page(self.model, self._texts, self._title, self._max_bytes)

    def to_dict(self) -> Dict[str, Any]:
        """A copy of the model as JSON has it."""
        found = copy.deepcopy(self.model)
        for group in found["groups"]:
            for part in group["narrative"].values():
                for sentence in part:
                    del sentence["pieces"]
        found["language"], found["title"] = self._texts.language, self._title or self._texts.word("ui.title")
        return found

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=True, allow_nan=False, indent=1) + "\n"

    def to_markdown(self) -> str:
        return write_markdown(self.model, self._texts, self._title)

    def to_text(self) -> str:
        return write_text(self.model, self._texts, self._title)

    def plot_profile(self, group: int, axis: Any = None, most: int = 16) -> Any:
        """What sets a group apart, on a matplotlib axis (None = the current one), which is returned. UNSUPPORTED
        without matplotlib, NOT_FOUND where the report has no such group."""
        return plots.plot_profile(self.model, self._texts, group, axis, most)

    def plot_sessions(self, group: int, axis: Any = None) -> Any:
        """Sessions of a group above ordinary ones; as :meth:`plot_profile`."""
        return plots.plot_sessions(self.model, group, axis)

    def plot_risk(self, axis: Any = None) -> Any:
        """The share of fraud of each group with its interval; as :meth:`plot_profile`."""
        return plots.plot_risk(self.model, self._texts, axis)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return f"<pre>{_escaped(self.to_text())}</pre>"

    def save(self, path: Union[str, "os.PathLike[Any]"], format: Optional[str] = None) -> None:
        """Writes it whole or not at all. format: "html", "json", "markdown" or "text"; None = by the suffix. Errors:
        INVALID_ARGUMENT, IO."""
        kind = format_of(path, format)
        writers = {"html": self.to_html, "json": self.to_json, "markdown": self.to_markdown, "text": self.to_text}
        data = writers[kind]().encode("utf-8", "backslashreplace")
        write_whole(path_of(path), data, "the report")


def _escaped(text: str) -> str:
    from .escape import to_html

    return "\n".join(to_html(line) for line in text.split("\n"))


@checked
def report(
    result: Any,
    path: Union[None, str, "os.PathLike[Any]"] = None,
    *,
    format: Optional[str] = None,
    events: Any = None,
    features: Any = None,
    fraud: Any = None,
    amount: Any = None,
    when: Any = None,
    key: Optional[str] = None,
    language: str = "en",
    templates: Templates = None,
    title: str = "",
    mask: bool = True,
    links: Union[None, str, Sequence[str]] = None,
    names: Optional[Mapping[str, str]] = None,
    units: Optional[Mapping[str, str]] = None,
    currency: str = "",
    limit: int = 200,
    max_bytes: int = MOST_BYTES,
) -> Report:
    """The case report: what needs a decision, then each risky group with its story, its sessions, what sets it apart,
    its rules::

        covey.report(found, "case.html")

    Args:
        result: what :func:`covey.find` gives, which keeps its rows, or an :class:`Engine`, which scores the rows given
            here.
        path: where it is written; None = nowhere, the returned :class:`Report` writes it later.
        format: "html", "json", "markdown" or "text"; None = by the path's suffix.
        events, features, fraud, amount, when, key: for an engine, as in :meth:`Engine.score` and :func:`covey.find`.
            For a result `features`, `fraud`, `amount` and `when` replace what it keeps.
        language: "en" or "de"; sentences of the library itself (rules, findings) stay English.
        templates: texts by name that replace those of the language, as a mapping or a JSON file of one;
            ``covey/report/templates/en.json`` has all names and the fields that each may use.
        mask: keys and shared values are shown as digests, which differ from data to data. False: as they are.
        links: columns of the features whose equal values link transactions (a device, an address, a card range),
            features or not; None = those that :func:`covey.find` left out as identifiers.
        names, units: of features, as they are to be shown. currency: of amounts.
        limit: groups in the report, the riskiest first; the others are counted. max_bytes: of the page; where it is too
            small for all, the last groups are shown in short, then counted.

    Errors name the argument: INVALID_ARGUMENT (no such column, text or field), MISMATCH (lengths), IO.
    """
    if path is not None:
        format_of(path, format)
    for value, name in ((names, "names"), (units, "units")):
        if value is not None and not isinstance(value, Mapping):
            raise InvalidTypeError(f"{name} must be a mapping of features to texts, got {type(value).__name__}")
    options = Options(
        mask=bool(mask),
        links=None if links is None else [links] if isinstance(links, str) else list(links),
        names={str(one): str(other) for one, other in (names or {}).items()},
        units={str(one): str(other) for one, other in (units or {}).items()},
        currency=str(currency),
        limit=_at_least(limit, "limit", 1),
    )
    Catalogue(language, templates)  # says what is wrong with the templates before the work
    given = {"events": events, "features": features, "fraud": fraud, "amount": amount, "when": when, "key": key}
    source = read_source(result, given)
    model = build(source, options)
    texts = Catalogue(language, templates, options.currency, model["data"]["times_are_dates"])
    tell(texts, model)
    found = Report(model, texts, str(title), _at_least(max_bytes, "max_bytes", 100_000))
    if path is not None:
        found.save(path, format)
    return found


def _at_least(value: Any, name: str, least: int) -> int:
    number = integer(value, name)
    if number < least:
        raise InvalidArgumentError(f"{name} must be at least {least}, got {number}")
    return number


def format_of(path: Union[str, "os.PathLike[Any]"], format: Optional[str]) -> str:
    """The format that was named, or the one of the suffix."""
    if format is not None:
        choice(format, "format", _FORMATS)
        return format
    suffix = path_of(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise InvalidArgumentError(
            f"path must end with one of {sorted(_SUFFIXES)}, or format= say one of {sorted(_FORMATS)}"
        )
    return _SUFFIXES[suffix]
