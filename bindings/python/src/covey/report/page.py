"""The report as one HTML file that needs nothing else: no request, no address, no style and no script but its own
two."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

from . import svg
from .card import Words, card, rules, thresholds
from .catalogue import Catalogue, Figure
from .escape import shortened, to_html, to_script

#: Bytes of a page.
MOST_BYTES = 1_000_000
_FOLDER = Path(__file__).parent


def write_page(model: Dict[str, Any], texts: Catalogue, title: str, most_bytes: int = MOST_BYTES) -> str:
    """The page in at most so many bytes: the first groups whole, the next in short, and what does not fit is
    counted."""
    words = Words(texts, model)
    frame = _Frame(words, title)
    shown = list(model["groups"])
    room = most_bytes - len(frame.page([], 0).encode("utf-8"))
    short = [card(words, group, whole=False) for group in shown]
    kept, used = 0, 0
    for text in short:
        size = len(text.encode("utf-8")) + 1
        if used + size > room:
            break
        kept, used = kept + 1, used + size
    cards = short[:kept]
    for place in range(kept):
        whole = card(words, shown[place], whole=True)
        more = len(whole.encode("utf-8")) - len(cards[place].encode("utf-8"))
        if used + more > room:
            break
        cards[place], used = whole, used + more
    return frame.page(cards, kept)


def policy(style: str, script: str) -> str:
    """Only the page's own style and script, by their hashes."""
    own = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


class _Frame:
    """All of the page but the cards, which are told last how many there are."""

    def __init__(self, words: Words, title: str) -> None:
        self.words = words
        self.model = words.model
        self.title = title or words.texts.word("ui.title")
        self.style = (_FOLDER / "style.css").read_text(encoding="utf-8")
        self.script = (_FOLDER / "script.js").read_text(encoding="utf-8")

    def page(self, cards: List[str], kept: int) -> str:
        words, model = self.words, self.model
        colours = {group["number"]: svg.colour(group["rank"]) for group in model["groups"]}
        body = [
            self._head(),
            self._bar(),
            '<main id="main">',
            self._decisions(kept),
            self._alerts(),
            self._map(colours),
            f'<h2 id="groups">{words.word("ui.groups")}</h2>',
            "\n".join(cards),
            self._left_out(kept),
            self._curve(),
            rules(words, model["rules"], words.word("ui.rules"), 2),
            self._lists(),
            self._about(),
            "</main>",
            self._foot(),
        ]
        content = policy(self.style, self.script)
        return (
            f'<!DOCTYPE html>\n<html lang="{words.texts.language}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{content}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{to_html(self.title)}</title>\n<style>{self.style}</style>\n</head>\n<body>\n"
            + "\n".join(part for part in body if part)
            + f'\n<script type="application/json" id="data">{to_script(self._data())}</script>\n'
            f"<script>{self.script}</script>\n</body>\n</html>\n"
        )

    def _data(self) -> Dict[str, Any]:
        """What the script needs."""
        word, model = self.words.texts.word, self.model
        points = [
            [point["x"], point["y"], point["group"], point["row"], shortened(point["key"], 40)]
            for point in model["map"]["points"]
        ]
        return {
            "points": points,
            "report": {
                "data": model["identity"]["data"],
                "engine": model["identity"]["engine"],
                "masked": model["options"]["mask"],
            },
            "words": {
                "group": self.words.noun,
                "row": word("word.row"),
                "selected": word("ui.selected"),
                "marked": word("ui.marked"),
                "sort": word("ui.sort"),
                "ordinary": word("ui.ordinary"),
            },
        }

    def _head(self) -> str:
        words, data = self.words, self.model["data"]
        subtitle = words.sentence("ui.subtitle", rows=Figure("count", data["rows"]))
        tiles: List[Tuple[str, str, str]] = [
            ("col.rows", words.write("count", data["rows"]), ""),
            ("ui.groups", words.write("count", self._count()), ""),
            ("col.known", words.write("count", data["fraud"]), "bad"),
            ("col.unknown", words.write("count", data["unknown"]), ""),
        ]
        if data["amount"] is not None:
            at_risk = sum(group["figures"].get("unknown_amount") or 0 for group in self.model["groups"])
            tiles.append(("col.money", words.write("money", at_risk), "bad"))
        boxes = "".join(
            f'<div><dt>{words.word(name)}</dt><dd class="{kind}">{text}</dd></div>' for name, text, kind in tiles
        )
        window = ""
        if data["first_seen"] is not None:
            first, last = (words.write("time", data[name]) for name in ("first_seen", "last_seen"))
            window = f" {words.word('ui.window')}: {first} – {last}."
        masked = f" {words.word('ui.masked')}" if self.model["options"]["mask"] else ""
        return (
            f'<a class="skip" href="#groups">{words.word("ui.skip")}</a>'
            f'<header><div class="in"><h1>{to_html(self.title)}</h1>'
            f'<p class="lead">{subtitle}.{window}{masked}</p><dl class="tiles">{boxes}</dl></div></header>'
        )

    def _count(self) -> int:
        return len(self.model["groups"]) + int(self.model["left_out"]["groups"])

    def _bar(self) -> str:
        words = self.words
        links = [
            ("#decide", "nav.decide"),
            ("#map-part", "nav.map"),
            ("#groups", "nav.groups"),
            ("#unknowns", "nav.unknowns"),
            ("#words", "nav.words"),
        ]
        anchors = "".join(f'<a href="{target}">{words.word(name)}</a>' for target, name in links)
        hint = words.word("ui.search.hint")
        return (
            f'<nav class="bar"><div class="in">{anchors}<span class="grow"></span>'
            f'<input class="js" type="search" id="search" aria-label="{words.word("ui.search")}" placeholder="{hint}">'
            '<span class="js" id="count" aria-live="polite"></span>'
            f'<button class="js" type="button" id="theme">{words.word("ui.theme")}</button>'
            f'<button class="js main" type="button" id="export" disabled>{words.word("ui.export")}</button>'
            '<span class="js" id="marked" aria-live="polite"></span></div></nav>'
        )

    def _decisions(self, kept: int) -> str:
        words = self.words
        groups = [group for group in self.model["groups"][:kept] if group["figures"]["unknown"]]
        groups.sort(key=lambda group: -(group["figures"].get("expected_amount") or group["figures"]["expected"] or 0))
        head = f'<h2 id="decide">{words.word("ui.decide")}</h2>'
        if not groups:
            return f'{head}<p class="lead">{words.word("ui.nothing")}</p>'
        money = self.model["data"]["amount"] is not None
        rows = []
        for group in groups[:12]:
            figures, number = group["figures"], group["number"]
            advice = words.word(f"caution.{group['cautions'][0]}") if group["cautions"] else words.word("advice.act")
            cells = [
                f'<td data-v="{number}"><a href="#g{number}">{to_html(words.noun)} {number}</a></td>',
                words.cell("count", figures["unknown"]),
            ]
            cells += (
                [words.cell("money", figures["unknown_amount"]), words.cell("money", figures["expected_amount"])]
                if money
                else []
            )
            cells += [
                words.cell("count", figures["known"]),
                words.cell("share", figures["share"] if figures["known"] else None),
            ]
            cells.append(f'<td class="note">{advice}</td>')
            rows.append(f"<tr>{''.join(cells)}</tr>")
        heads = [
            "col.group",
            "col.unknown",
            *(["col.money", "col.expected"] if money else []),
            "col.known",
            "col.share",
            "col.advice",
        ]
        table = words.table([words.word(name) for name in heads], rows, range(1, len(heads) - 1), sort=True)
        return f'{head}<p class="lead">{words.word("ui.decide.lead")}</p><div class="card">{table}</div>'

    def _alerts(self) -> str:
        words, alerts = self.words, self.model["alerts"]
        if not alerts:
            return ""
        money, timed = self.model["data"]["amount"] is not None, self.model["data"]["first_seen"] is not None
        linked = {group["number"] for group in self.model["groups"]}
        rows = []
        for alert in alerts:
            group = alert["group"]
            belongs = f'<a href="#g{group}">{to_html(words.noun)} {group}</a>' if group in linked else "–"
            cells = [
                f'<td data-v="{alert["row"]}"><bdi>{to_html(shortened(alert["key"], 40))}</bdi> '
                f'<span class="note">{words.word("word.row")} {alert["row"]}</span></td>',
                words.cell("number", round(alert["score"], 4)),
            ]
            cells += [words.cell("money", alert["amount"])] if money else []
            cells += [f'<td data-v="{alert["time"]}">{words.write("time", alert["time"])}</td>'] if timed else []
            if self._has_evidence():
                cells.append(f'<td class="note">{self._reason(alert)}</td>')
            attributes = f'data-row="{alert["row"]}" data-key="{to_html(alert["key"])}"'
            name = "t" + str(alert["row"])
            cells += [
                f"<td data-v='{group}'>{belongs}</td>",
                f'<td class="js">{words.marks("transaction", name, attributes, False)}</td>',
            ]
            rows.append(f"<tr data-find>{''.join(cells)}</tr>")
        heads = [
            "col.transaction",
            "col.score",
            *(["col.amount"] if money else []),
            *(["col.time"] if timed else []),
            *(["col.reason"] if self._has_evidence() else []),
            "col.group",
        ]
        shown = [words.word(name) for name in heads] + [f'<span class="js">{words.word("ui.mark")}</span>']
        table = words.table(shown, rows, (1, 2) if money else (1,), sort=True)
        summary = f"{words.word('ui.alerts')} ({len(alerts)})"
        lead = f'<p class="lead">{words.word("ui.alerts.lead")}</p>'
        return f'<div class="card"><details open><summary>{summary}</summary>{lead}{table}</details></div>'

    def _has_evidence(self) -> bool:
        return any(alert["evidence"] for alert in self.model["alerts"])

    def _reason(self, alert: Dict[str, Any]) -> str:
        """The two parts that speak most for fraud."""
        parts = sorted((alert["evidence"] or {}).items(), key=lambda part: -part[1])[:2]
        return ", ".join(
            f"{self.words.word(f'evidence.{name}')} {self.words.write('effect', value)}"
            for name, value in parts
            if value > 0
        )

    def _map(self, colours: Dict[int, int]) -> str:
        words, points = self.words, self.model["map"]["points"]
        if not points:
            return '<span id="map-part"></span>'
        picture = svg.scatter(points, colours, words.texts.word("ui.map.label"))
        groups = sorted({point["group"] for point in points if point["group"] >= 0})
        options = '<option value=""></option>' + "".join(
            f'<option value="{group}">{to_html(words.noun)} {group}</option>' for group in groups
        )
        share = words.sentence("ui.map.lead", share=Figure("share", self.model["map"]["explained"]))
        return (
            f'<h2 id="map-part">{words.word("ui.map")}</h2><p class="lead">{share}</p>'
            f'<div class="mapside"><div>{picture}</div><div class="js">'
            f'<label for="pick">{words.word("ui.lasso")}</label> <select id="pick">{options}</select>'
            '<p id="selected" aria-live="polite"></p><ul id="picked" tabindex="0"></ul></div></div>'
        )

    def _left_out(self, kept: int) -> str:
        left, groups = self.model["left_out"], self.model["groups"][kept:]
        count = left["groups"] + len(groups)
        if not count:
            return ""
        rows = left["rows"] + sum(group["figures"]["rows"] for group in groups)
        known = left["known"] + sum(group["figures"]["known"] for group in groups)
        text = self.words.sentence(
            "ui.left_out", groups=Figure("count", count), rows=Figure("count", rows), known=Figure("count", known)
        )
        return f'<p class="caution" id="left-out">{text}</p>'

    def _curve(self) -> str:
        words, data = self.words, self.model["curve"]
        if not data["fraud"]:
            return ""
        picture = svg.curve(data, words.texts.word("ui.curve.label"), logarithmic=True)
        keys = "".join(
            f'<span><i class="sw {kind}"></i>{words.word(name)}</span>'
            for kind, name in (("fraud", "col.caught"), ("legitimate", "col.false_alarms"))
        )
        return (
            f'<h2>{words.word("ui.curve")}</h2><p class="lead">{words.word("ui.curve.lead")}</p><div class="card">'
            f'<div class="two"><div>{picture}<p class="keys">{keys}</p></div>'
            f"<div>{thresholds(words, data, 8)}</div></div></div>"
        )

    def _lists(self) -> str:
        words = self.words
        found = ""
        if self.model["findings"]:
            items = "".join(f"<li><bdi>{to_html(text)}</bdi></li>" for text in self.model["findings"])
            found = f"<h2>{words.word('ui.findings')}</h2><ul>{items}</ul>"
        items = "".join(f"<li>{words.word(f'unknown.{name}')}</li>" for name in self.model["unknowns"])
        found += f'<h2 id="unknowns">{words.word("ui.unknowns")}</h2><ul>{items}</ul>'
        terms = [text.partition("|") for name, text in words.texts.texts.items() if name.startswith("glossary.")]
        entries = "".join(f"<dt>{to_html(term)}</dt><dd>{to_html(meaning)}</dd>" for term, _, meaning in terms)
        return found + f'<h2 id="words">{words.word("ui.glossary")}</h2><dl class="words">{entries}</dl>'

    def _about(self) -> str:
        model = self.model
        shown = {
            "identity": model["identity"],
            "data": model["data"],
            "options": model["options"],
            "settings": model["settings"],
        }
        text = json.dumps(shown, indent=1, ensure_ascii=False)
        head = f"<h2>{self.words.word('ui.about')}</h2>"
        return f"{head}<details><summary>JSON</summary><pre>{to_html_lines(text)}</pre></details>"

    def _foot(self) -> str:
        identity = self.model["identity"]
        engine = "" if identity["engine"] is None else f", engine {identity['engine']}"
        text = f"Covey {identity['versions']['libcovey']}, data {identity['data'][:16]}{engine}."
        marks = (
            f'<p class="js">{self.words.word("ui.marks.lead")}</p><p class="nojs">{self.words.word("ui.no_script")}</p>'
        )
        return f"<footer>{marks}<p>{to_html(text)}</p></footer>"


def to_html_lines(text: str) -> str:
    """Several lines, each made safe."""
    return "\n".join(to_html(line) for line in text.split("\n"))
