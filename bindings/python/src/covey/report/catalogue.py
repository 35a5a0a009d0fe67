"""The texts of a language: sentences with fields, words of the page, and how numbers are written."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Union

from .._errors import FileError, InvalidArgumentError, InvalidTypeError
from .escape import shortened, visible

LANGUAGES = ("en", "de")
#: A part of a sentence: its text, and whether it came from outside (a name or a value).
Piece = Tuple[str, bool]
Templates = Union[None, str, "os.PathLike[Any]", Mapping[str, str]]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A field of a sentence: a number with what it is, or a name from outside."""

    #: "count", "share", "money", "number", "factor", "seconds", "time", "days", "effect", "p", "name", or "path":
    #: several names.
    kind: str
    value: Any
    #: Of a number: written after it.
    unit: str = ""


class Catalogue:
    """The texts of one language, some of them replaced by a team's own."""

    def __init__(
        self, language: str = "en", templates: Templates = None, currency: str = "", dates: bool = False
    ) -> None:
        if language not in LANGUAGES:
            raise InvalidArgumentError(f"language must be one of {list(LANGUAGES)}, got {language!r}")
        self.language = language
        self.currency = currency
        self.dates = dates
        folder = Path(__file__).with_name("templates")
        self.texts: Dict[str, str] = _read(folder / f"{language}.json")
        self.fields = {name: _fields(text, name) for name, text in _read(folder / "en.json").items()}
        for name, text in _given(templates).items():
            if name not in self.texts:
                raise InvalidArgumentError(
                    f"templates[{name!r}] is no text of a report; there are {sorted(self.texts)}"
                )
            unknown = sorted(_fields(text, name) - self.fields[name])
            if unknown:
                allowed = sorted(self.fields[name])
                raise InvalidArgumentError(
                    f"templates[{name!r}] uses ${{{unknown[0]}}}, which it does not have; it has {allowed}"
                )
            self.texts[name] = text

    def word(self, name: str) -> str:
        return self.texts[name]

    def sentence(self, name: str, fields: Dict[str, Figure]) -> List[Piece]:
        """The pieces of a sentence."""
        pieces: List[Piece] = []
        end = 0
        text = self.texts[name]
        for match in string.Template.pattern.finditer(text):
            pieces.append((text[end : match.start()], False))
            field = match.group("named") or match.group("braced")
            pieces.append(("$", False) if field is None else self._piece(fields[field]))
            end = match.end()
        return [piece for piece in [*pieces, (text[end:], False)] if piece[0]]

    def _piece(self, figure: Figure) -> Piece:
        return self.write(figure), figure.kind in ("name", "path")

    def write(self, figure: Figure) -> str:
        """A field as this language writes it."""
        value = figure.value
        if figure.kind == "name":
            return shortened(value)
        if figure.kind == "path":
            return visible(value)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return self.texts["word.not_known"]
        return _WRITERS[figure.kind](self, value) + (f" {visible(figure.unit)}" if figure.unit else "")

    def grouped(self, value: float, digits: int) -> str:
        """With separators of thousands, and so many digits after the point."""
        text = f"{value:,.{digits}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        table = {ord(","): self.texts["format.thousands"], ord("."): self.texts["format.decimal"]}
        return text.translate(table)

    def _count(self, value: float) -> str:
        return self.grouped(value, 0)

    def _share(self, value: float) -> str:
        percent = value * 100
        digits = 0 if abs(percent - round(percent)) < 1e-9 else 1 if 0.1 <= abs(percent) <= 99.9 else 2
        shown = self.grouped(percent, digits)
        return self.texts["format.percent"].replace("#", shown)

    def _number(self, value: float) -> str:
        """Whole numbers as they are, others with three significant digits."""
        if float(value).is_integer() and abs(value) < 1e15:
            return self.grouped(value, 0)
        if abs(value) >= 1e15 or abs(value) < 1e-4:
            return f"{value:.3g}".replace(".", self.texts["format.decimal"])
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        return self.grouped(value, digits if round(value, digits) != round(value) else 0)

    def _effect(self, value: float) -> str:
        return self.grouped(value, 2)

    def _money(self, value: float) -> str:
        shown = self.grouped(value, 0 if abs(value) >= 1000 else 2)
        return f"{shown} {visible(self.currency)}" if self.currency else shown

    def _factor(self, value: float) -> str:
        return self.grouped(value, 0 if value >= 10 else 1)

    def _seconds(self, value: float) -> str:
        for size, unit in ((86400.0, "unit.days"), (3600.0, "unit.hours"), (60.0, "unit.minutes")):
            if abs(value) >= 2 * size:
                return f"{self._number(round(value / size, 1))} {self.texts[unit]}"
        return f"{self._number(round(value, 2))} {self.texts['unit.seconds']}"

    def _time(self, value: float) -> str:
        if self.dates:
            try:
                moment = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
                return moment.strftime(self.texts["format.time"])
            except (OverflowError, OSError, ValueError):
                return f"{value:.6g}"
        return f"{self.texts['word.day']} {self.grouped(value / 86400, 1)}"

    def _p(self, value: float) -> str:
        return f"{value:.2g}".replace(".", self.texts["format.decimal"])


_WRITERS: Dict[str, Callable[[Catalogue, Any], str]] = {
    "count": Catalogue._count,
    "share": Catalogue._share,
    "money": Catalogue._money,
    "number": Catalogue._number,
    "factor": Catalogue._factor,
    "seconds": Catalogue._seconds,
    "time": Catalogue._time,
    "days": Catalogue._number,
    "effect": Catalogue._effect,
    "p": Catalogue._p,
}


def _read(path: Path) -> Dict[str, str]:
    found: Dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _given(templates: Templates) -> Dict[str, str]:
    """A team's own texts: a mapping, or the JSON file of one."""
    if templates is None:
        return {}
    if isinstance(templates, Mapping):
        found: Any = dict(templates)
    else:
        try:
            found = json.loads(Path(os.fspath(templates)).read_text(encoding="utf-8"))
        except OSError as failure:
            raise FileError(f"templates: {failure}") from None
        except ValueError as failure:
            raise InvalidArgumentError(f"templates must be a JSON object of texts by name: {failure}") from None
    if not isinstance(found, dict) or not all(isinstance(item, str) for pair in found.items() for item in pair):
        raise InvalidTypeError("templates must be texts by name, or the path of such a JSON file")
    return found


def _fields(text: str, name: str) -> "set[str]":
    """The fields that a text uses. Raises INVALID_ARGUMENT for a $ that begins none."""
    found = set()
    for match in string.Template.pattern.finditer(text):
        if match.group("invalid") is not None:
            raise InvalidArgumentError(
                f"templates[{name!r}] has a $ that begins no field at {match.start()}: write $$ for the sign"
            )
        field = match.group("named") or match.group("braced")
        if field is not None:
            found.add(field)
    return found
