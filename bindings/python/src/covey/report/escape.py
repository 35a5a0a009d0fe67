"""Text from outside, made safe for where it goes: HTML, JSON inside of HTML, Markdown, a terminal."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import Any

#: Joiners inside of words of some scripts and of emoji; every other invisible character is shown as its number.
_JOINERS = "\u200c\u200d"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&$-])")


def visible(text: Any) -> str:
    """The text with control characters, changes of direction and lone surrogates written as \\u{...}: they cannot hide
    or reorder anything, and a terminal does not obey them."""
    return "".join(_shown(letter) for letter in str(text))


def _shown(letter: str) -> str:
    if letter.isprintable() or letter in _JOINERS:
        return letter
    if unicodedata.category(letter) == "Zs":
        return " "
    return f"\\u{{{ord(letter):x}}}"


def shortened(text: Any, most: int = 80) -> str:
    """A name of any length, in at most this many characters."""
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def to_html(text: Any) -> str:
    """For text and attributes in quotes. A colon before // is a character reference, so that no address stands in the
    file."""
    return html.escape(visible(text), quote=True).replace("://", "&#58;//")


def to_markdown(text: Any) -> str:
    """Nothing in it is markup; an address is not made a link."""
    return _MARKDOWN.sub(r"\\\1", visible(text)).replace("://", ":\u200b//").replace("www.", "www\u200b.")


def to_script(value: Any) -> str:
    """JSON that can stand inside of a script element."""
    encoded = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        encoded = encoded.replace(letter, f"\\u{ord(letter):04x}")
    return encoded.replace("://", "\\u003a//")
