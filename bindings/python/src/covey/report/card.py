"""The card of one group in the HTML page, whole or in short."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import svg
from .catalogue import Catalogue, Figure, Piece
from .escape import shortened, to_html

#: Rows of each table of a card.
MOST_ROWS = 8


class Words:
    """What writes figures and names into HTML."""

    def __init__(self, texts: Catalogue, model: Dict[str, Any]) -> None:
        self.texts = texts
        self.model = model
        self.names: Dict[str, str] = model["options"]["names"]
        self.noun = texts.word("word.group" if model["kind"] == "groups" else "word.cluster")

    def word(self, name: str) -> str:
        return to_html(self.texts.word(name))

    def write(self, kind: str, value: Any, unit: str = "") -> str:
        if value is None:
            return "–"
        return to_html(self.texts.write(Figure(kind, value, unit)))

    def name(self, name: str) -> str:
        return f"<bdi>{to_html(shortened(self.names.get(name, name)))}</bdi>"

    def cell(self, kind: str, value: Any) -> str:
        """A number in a table, with what it sorts by."""
        return f'<td class="n" data-v="{"" if value is None else repr(float(value))}">{self.write(kind, value)}</td>'

    def pieces(self, pieces: Sequence[Piece]) -> str:
        return "".join(f"<bdi>{to_html(text)}</bdi>" if outside else to_html(text) for text, outside in pieces)

    def sentence(self, name: str, **fields: Figure) -> str:
        return self.pieces(self.texts.sentence(name, fields))

    def table(self, heads: Sequence[str], rows: Sequence[str], numeric: Sequence[int] = (), sort: bool = False) -> str:
        cells = "".join(
            f'<th scope="col"{" class=n" if place in numeric else ""}>{head}</th>' for place, head in enumerate(heads)
        )
        kind = ' class="sort"' if sort else ""
        body = "".join(rows)
        return f'<div class="scroll"><table{kind}><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'

    def marks(self, kind: str, name: str, attributes: str, note: bool) -> str:
        """The choice of a mark; the script reads it."""
        options = "".join(
            f'<label><input type="radio" name="{name}" value="{mark}"{"" if mark else " checked"}> '
            f"{self.word('ui.' + word)}</label>"
            for mark, word in (
                ("confirmed", "confirmed"),
                ("false_alarm", "false_alarm"),
                ("uncertain", "uncertain"),
                ("", "clear"),
            )
        )
        label = self.word("ui.note")
        field = f'<input type="text" aria-label="{label}" placeholder="{label}">' if note else ""
        legend = f"<legend>{self.word('ui.mark')}</legend>"
        return f'<fieldset class="js" data-kind="{kind}" {attributes}>{legend}{options}{field}</fieldset>'


def card(words: Words, group: Dict[str, Any], whole: bool) -> str:
    """Whole: every picture and table. In short: the narrative, the most telling differences and one picture."""
    parts = [_head(words, group)]
    parts += [f'<p class="caution">{words.word(f"caution.{name}")}</p>' for name in group["cautions"]]
    parts.append(_story(words, group, whole))
    if whole:
        parts.append(_sessions(words, group, whole))
        parts.append(f'<div class="two"><div>{_timeline(words, group)}</div><div>{_curve(words, group)}</div></div>')
        if group["curve"]["fraud"] or group["curve"]["legitimate"]:
            parts.append(thresholds(words, group["curve"], 4))
        parts += [_profile(words, group), _links(words, group), rules(words, group["rules"], words.word("ui.rules"))]
    else:
        parts.append(_sessions(words, group, whole))
        parts.append(f'<p class="lead">{words.word("ui.compact")}</p>')
    number = group["number"]
    attributes = f'data-group="{number}" data-rows="{group["figures"]["rows"]}"'
    parts.append(words.marks("group", f"g{number}", attributes, note=True))
    return f'<section class="card" id="g{number}" data-find aria-labelledby="h{number}">{"".join(parts)}</section>'


def _head(words: Words, group: Dict[str, Any]) -> str:
    figures, number = group["figures"], group["number"]
    chips = [f'<span class="chip">{words.write("count", figures["rows"])} {words.word("col.rows")}</span>']
    if figures["share"] is not None and figures["known"]:
        interval = f"{words.write('share', figures['share_low'])} – {words.write('share', figures['share_high'])}"
        chips.append(
            f'<span class="chip bad">{words.word("col.share")} '
            f"{words.write('share', figures['share'])} ({interval})</span>"
        )
    if figures.get("unknown_amount") is not None:
        chips.append(
            f'<span class="chip">{words.word("col.money")} {words.write("money", figures["unknown_amount"])}</span>'
        )
    dot = f'<span class="dot d{svg.colour(group["rank"])}"></span>'
    return f'<header>{dot}<h3 id="h{number}">{to_html(words.noun)} {number}</h3>{"".join(chips)}</header>'


def _story(words: Words, group: Dict[str, Any], whole: bool) -> str:
    parts = []
    for part in ("introduction", "body", "conclusion"):
        told = group["narrative"][part]
        told = [one for one in told if not one["id"].startswith("caution.")]  # they stand above
        if told:
            head = f"<h4>{words.word(f'ui.{part}')}</h4>" if whole else ""
            if whole and part == "body":
                items = "".join(f"<li>{words.pieces(one['pieces'])}</li>" for one in told)
                parts.append(f'{head}<ul class="facts">{items}</ul>')
            else:
                parts.append(f"{head}<p>{' '.join(words.pieces(one['pieces']) for one in told)}</p>")
    return f'<div class="story">{"".join(parts)}</div>'


def _sessions(words: Words, group: Dict[str, Any], whole: bool) -> str:
    chosen: List[Tuple[str, Dict[str, Any]]] = []
    roles = {"exemplar": "ui.exemplar", "uncertain": "ui.uncertain_member", "ordinary": "ui.ordinary"}
    own = [one for one in group["sessions"] if whole or one["role"] == "exemplar"][: 6 if whole else 1]
    ordinary = words.model["ordinary_sessions"] if whole else []
    for session in [*own, *ordinary]:
        if session["events"]:
            name = words.model["event_types"] and session["key"]
            chosen.append((f"{shortened(name, 11)} {words.texts.word(roles[session['role']])}", session))
    if not chosen:
        return ""
    colours = svg.colours([session for _, session in chosen])
    picture = f'<div class="scroll">{svg.sessions(chosen, colours, words.texts.word("ui.sessions.label"))}</div>'
    if not whole:
        return picture
    types = sorted({event["type"] for _, session in chosen for event in session["events"]})
    keys = "".join(
        f'<span><i class="e{colours[kind]}">{svg.sign(kind)}</i>{words.name(_event(words, kind))}</span>'
        for kind in types
    )
    texts = "".join(_as_text(words, name, session) for name, session in chosen[: len(own)])
    return (
        f'<h4>{words.word("ui.sessions")}</h4><p class="lead">{words.word("ui.sessions.lead")}</p>{picture}'
        f'<p class="keys">{keys}</p>'
        f"<details><summary>{words.word('ui.events_as_text')}</summary>{texts}</details>"
    )


def _event(words: Words, kind: int) -> str:
    found: str = words.model["event_types"][kind]
    return found


def _as_text(words: Words, name: str, session: Dict[str, Any]) -> str:
    steps = [
        f"{words.name(_event(words, event['type']))} {words.write('number', round(event['seconds'], 1))}"
        for event in session["events"]
    ]
    earlier = session["events_left_out"]
    head = f"{to_html(name)} ({words.word('word.row')} {session['row']})"
    if earlier:
        head += f", {words.write('count', earlier)} {words.word('ui.earlier')}"
    return f'<p class="path"><b>{head}</b> ({words.word("unit.seconds")}): {" → ".join(steps)}</p>'


def _timeline(words: Words, group: Dict[str, Any]) -> str:
    bins = group["timeline"]
    if bins is None:
        return ""
    keys = _keys(words, ("fraud", "col.known"), ("unknown", "col.unknown"), ("legitimate", "col.legitimate"))
    ends = f"{words.write('time', bins['first'])} – {words.write('time', bins['last'])}"
    picture = svg.timeline(bins, words.texts.word("ui.timeline.label"))
    return f'<h4>{words.word("ui.timeline")}</h4>{picture}<p class="keys"><span>{ends}</span></p>{keys}'


def _keys(words: Words, *pairs: Tuple[str, str]) -> str:
    return (
        '<p class="keys">'
        + "".join(f'<span><i class="sw {kind}"></i>{words.word(name)}</span>' for kind, name in pairs)
        + "</p>"
    )


def _curve(words: Words, group: Dict[str, Any]) -> str:
    data = group["curve"]
    if not data["fraud"] and not data["legitimate"]:
        return ""
    keys = _keys(words, ("fraud", "col.caught"), ("legitimate", "col.false_alarms"))
    picture = svg.curve(data, words.texts.word("ui.curve.label"), logarithmic=False)
    return f"<h4>{words.word('ui.curve')}</h4>{picture}{keys}"


def thresholds(words: Words, data: Dict[str, Any], most: int) -> str:
    """Some points of a curve as a table, the last one always."""
    points = data["points"]
    step = max(1, len(points) // most)
    chosen = points[step - 1 :: step]
    chosen = chosen if chosen and chosen[-1] is points[-1] else chosen + points[-1:]
    heads = ["col.threshold", "col.rows", "col.caught", "col.false_alarms"]
    money = words.model["data"]["amount"] is not None
    heads += ["col.caught_amount", "col.false_alarm_amount"] if money else []
    rows = []
    for point in chosen:
        cells = [words.cell("number", point["threshold"])]
        cells += [words.cell("count", point[name]) for name in ("rows", "caught", "false_alarms")]
        cells += [words.cell("money", point[name]) for name in ("caught_amount", "false_alarm_amount")] if money else []
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return words.table([words.word(head) for head in heads], rows, range(len(heads)))


def _profile(words: Words, group: Dict[str, Any]) -> str:
    profile = group["profile"]
    rows = []
    for entry in [
        *profile["events"][:MOST_ROWS],
        *profile["timings"],
        *profile["categories"][:MOST_ROWS],
        *profile["features"][:MOST_ROWS],
    ]:
        rows.append(_difference(words, entry))
    if not rows:
        return ""
    heads = [
        words.word("col.feature"),
        words.word("ui.of_group"),
        words.word("ui.elsewhere"),
        words.word("col.lift"),
        words.word("col.effect"),
        "",
    ]
    return f"<h4>{words.word('ui.profile')}</h4>" + words.table(heads, rows, (3, 4), sort=True)


def _difference(words: Words, entry: Dict[str, Any]) -> str:
    lift: Optional[float] = entry.get("lift")
    if "quartiles" in entry:
        kind = "number" if entry["kind"] == "feature" or entry["name"] == "events" else "seconds"
        name = words.word(f"figure.{entry['name']}") if entry["kind"] == "timing" else words.name(entry["name"])
        unit = words.model["options"]["units"].get(entry["name"], "") if entry["kind"] == "feature" else ""
        inside, outside = (_quartiles(words, kind, entry[part], unit) for part in ("quartiles", "ordinary_quartiles"))
    else:
        name = words.name(entry["name"]) + (
            f" = <bdi>{to_html(shortened(entry['value']))}</bdi>" if "value" in entry else ""
        )
        count = f'<span class="note">({words.write("count", entry["count"])})</span>'
        inside = f"{words.write('share', entry['count'] / entry['size'])} {count}"
        outside = words.write("share", entry["ordinary_count"] / entry["ordinary_size"])
    written = words.write("effect", entry["effect"])
    label = f"{words.texts.word('col.effect')} {entry['effect']:.2f}, {entry['low']:.2f} – {entry['high']:.2f}"
    picture = svg.effect(entry["effect"], entry["low"], entry["high"], label)
    return (
        f"<tr><td>{name}</td><td>{inside}</td><td>{outside}</td>{words.cell('factor', lift)}"
        f'<td class="n" data-v="{entry["effect"]}">{written}</td><td>{picture}</td></tr>'
    )


def _quartiles(words: Words, kind: str, values: Sequence[float], unit: str) -> str:
    low, middle, high = (words.write(kind, value) for value in values)
    after = f" {to_html(unit)}" if unit else ""
    return f'{middle}{after} <span class="note">({low} – {high})</span>'


def _links(words: Words, group: Dict[str, Any]) -> str:
    rows = [
        f"<tr><td>{words.name(link['column'])}</td><td><bdi>{to_html(shortened(link['value']))}</bdi></td>"
        f"{words.cell('count', link['members'])}{words.cell('count', link['outside'])}</tr>"
        for link in group["profile"]["links"]
    ]
    heads = [words.word(name) for name in ("col.feature", "col.value", "col.members", "col.outside")]
    return f"<h4>{words.word('ui.links')}</h4>" + words.table(heads, rows, (2, 3)) if rows else ""


def rules(words: Words, entries: Sequence[Dict[str, Any]], title: str, level: int = 4) -> str:
    """Rules, what they were measured to be on rows the search never saw, and what they match of all rows."""
    rows = []
    for rule in entries:
        back = rule.get("backtest")
        matched = (
            "–"
            if back is None
            else (
                f'{words.write("count", back["rows"])} <span class="note">('
                f"{words.word('col.known')} {words.write('count', back['fraud'])}, "
                f"{words.word('col.false_alarms')} {words.write('count', back['legitimate'])}, "
                f"{words.word('col.unknown')} "
                f"{words.write('count', back['unknown'])})</span>"
            )
        )
        interval = f"{words.write('share', rule['precision_low'])} – {words.write('share', rule['precision_high'])}"
        precision = (
            f'{words.write("share", rule["precision"])} <span class="note">({interval})</span>'
            if rule["measured"]
            else "–"
        )
        rows.append(
            f"<tr><td><bdi>{to_html(rule['text'])}</bdi></td><td>{precision}</td>"
            f"{words.cell('factor', rule['lift'])}<td>{matched}</td></tr>"
        )
    heads = [words.word(name) for name in ("col.rule", "col.precision", "col.lift", "col.matched")]
    return f"<h{level}>{title}</h{level}>" + words.table(heads, rows, (2,)) if rows else ""
