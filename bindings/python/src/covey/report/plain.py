"""The report as text for a terminal and as Markdown."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from .catalogue import Catalogue, Figure
from .escape import to_markdown, visible


def write_text(model: Dict[str, Any], texts: Catalogue, title: str) -> str:
    return _write(model, texts, title, markdown=False)


def write_markdown(model: Dict[str, Any], texts: Catalogue, title: str) -> str:
    return _write(model, texts, title, markdown=True)


def _write(model: Dict[str, Any], texts: Catalogue, title: str, markdown: bool) -> str:
    safe: Callable[[Any], str] = to_markdown if markdown else visible
    lines: List[str] = []

    def head(text: str, level: int) -> None:
        shown = safe(text)
        lines.extend(
            [f"{'#' * level} {shown}", ""] if markdown else [shown, ("=" if level == 1 else "-") * len(shown), ""]
        )

    def paragraph(sentences: List[str]) -> None:
        if sentences:
            lines.extend([" ".join(safe(one) for one in sentences), ""])

    def items(sentences: List[str]) -> None:
        lines.extend(f"- {safe(one)}" for one in sentences)
        lines.append("")

    data = model["data"]
    head(title or texts.word("ui.title"), 1)
    subtitle = texts.sentence("ui.subtitle", {"rows": Figure("count", data["rows"])})
    paragraph(["".join(text for text, _ in subtitle) + "."])
    noun = texts.word("word.group" if model["kind"] == "groups" else "word.cluster")
    for group in model["groups"]:
        head(f"{noun} {group['number']}", 2)
        for part in ("introduction", "body", "conclusion"):
            paragraph([one["text"] for one in group["narrative"][part]])
        if group["rules"]:
            items([rule["text"] for rule in group["rules"]])
    left = model["left_out"]
    if left["groups"]:
        fields = {name: Figure("count", left[name]) for name in ("groups", "rows", "known")}
        paragraph(["".join(text for text, _ in texts.sentence("ui.left_out", fields))])
    if model["rules"]:
        head(texts.word("ui.rules"), 2)
        items([rule["text"] for rule in model["rules"]])
    if model["findings"]:
        head(texts.word("ui.findings"), 2)
        items(model["findings"])
    head(texts.word("ui.unknowns"), 2)
    items([texts.word(f"unknown.{name}") for name in model["unknowns"]])
    return "\n".join(lines).rstrip("\n") + "\n"
