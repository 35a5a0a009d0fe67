"""Pictures as SVG without a style of their own: classes that `style.css` colours in light and dark."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any, Dict, List, Sequence, Tuple

from .escape import shortened, to_html

#: One sign an event type, the most frequent first; a dot for all others.
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#: Event types and groups with a colour of their own.
COLOURS = 9
CELL, ROW, LABEL, WIDTH = 15, 27, 156, 790


def sign(kind: int) -> str:
    return SIGNS[kind] if kind < len(SIGNS) else "·"


def colour(index: int) -> int:
    """The number of a colour; the last one is shared by all that have none of their own."""
    return index if 0 <= index < COLOURS else COLOURS


def figure(width: int, height: int, label: str, content: str, kind: str) -> str:
    """One picture, which a screen reader hears as one image."""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{to_html(label)}">{content}</svg>'
    )


def colours(shown: Sequence[Dict[str, Any]]) -> Dict[int, int]:
    """The colour of each event type: the most frequent ones of these sessions have one of their own."""
    counts = Counter(event["type"] for session in shown for event in session["events"])
    return {
        kind: colour(place)
        for place, (kind, _) in enumerate(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    }


def sessions(rows: Sequence[Tuple[str, Dict[str, Any]]], chosen: Dict[int, int], label: str) -> str:
    """Sessions one below the other: events as cells in order of time, pauses as spaces (logarithmic), attention
    below."""
    content = []
    for place, (name, session) in enumerate(rows):
        content.append(_session(name, session, chosen, place * ROW))
    return figure(WIDTH, max(1, len(rows)) * ROW, label, "".join(content), "sessions")


def _session(name: str, session: Dict[str, Any], chosen: Dict[int, int], top: int) -> str:
    events = session["events"]
    at = places([event["seconds"] for event in events])
    fit = [index for index in range(len(events)) if at[-1] - at[index] <= WIDTH - LABEL - CELL - 26]
    left_out = session["events_left_out"] + len(events) - len(fit)
    start = LABEL + (26 if left_out else 0)
    boxes: Dict[int, List[str]] = defaultdict(list)
    xs, signs, bars = [], [], []
    most = max((event["attention"] or 0 for event in events), default=0)
    for index in fit:
        x, event = start + at[index] - at[fit[0]], events[index]
        boxes[chosen[event["type"]]].append(f"M{x} {top + 3}h{CELL}v15h-{CELL}z")
        xs.append(str(x + 4))
        signs.append(sign(event["type"]))
        if event["attention"]:
            bars.append(f"M{x} {top + 19}h{max(1, round(CELL * event['attention'] / most))}v4H{x}z")
    parts = [f'<text class="name" x="0" y="{top + 15}">{to_html(shortened(name, 22))}</text>']
    parts += [f'<path class="e{kind}" d="{"".join(drawn)}"/>' for kind, drawn in sorted(boxes.items())]
    parts.append(f'<text class="sign" y="{top + 14}" x="{" ".join(xs)}">{"".join(signs)}</text>' if xs else "")
    parts.append(f'<path class="bar" d="{"".join(bars)}"/>' if bars else "")
    parts.append(f'<text class="name" x="{LABEL}" y="{top + 15}">+{left_out}</text>' if left_out else "")
    return "".join(parts)


def places(seconds: List[float]) -> List[int]:
    """Where each event begins."""
    found, x = [], 0.0
    for index, second in enumerate(seconds):
        if index:
            x += CELL + 2 + min(40.0, 5 * math.log10(1 + max(0.0, second - seconds[index - 1])))
        found.append(round(x))
    return found


def timeline(bins: Dict[str, Any], label: str) -> str:
    """Stacked bars: fraud at the bottom, then unknown, then legitimate."""
    count = len(bins["fraud"])
    width, height = 480, 64
    step = width / count
    tallest = max(1, *(sum(stack) for stack in zip(bins["fraud"], bins["unknown"], bins["legitimate"])))
    below = [0.0] * count
    content = [f'<path class="axis" d="M0 {height - 0.5}h{width}"/>']
    for kind in ("fraud", "unknown", "legitimate"):
        drawn = []
        for index, value in enumerate(bins[kind]):
            if value:
                size = value / tallest * (height - 4)
                drawn.append(
                    f"M{index * step:.0f} {height - 1 - below[index]:.1f}v-{size:.1f}h{step - 2:.0f}v{size:.1f}z"
                )
                below[index] += size
        if drawn:
            content.append(f'<path class="{kind}" d="{"".join(drawn)}"/>')
    return figure(width, height, label, "".join(content), "timeline")


def effect(value: float, low: float, high: float, label: str) -> str:
    """A bar from 0 to the effect, with its interval; the axis is -1 to 1."""

    def x(number: float) -> int:
        return round(50 + 48 * number)

    bar = f'<path class="effect" d="M50 4V10H{x(value)}V4z"/>'
    whisker = f'<path class="whisker" d="M{x(low)} 7H{x(high)}M{x(low)} 4v6M{x(high)} 4v6"/>'
    return figure(100, 14, label, f'<path class="axis" d="M50 0v14"/>{bar}{whisker}', "effects")


def curve(data: Dict[str, Any], label: str, logarithmic: bool) -> str:
    """Shares of all known fraud caught and of all known legitimate rows stopped, by rows looked at."""
    width, height, points = 480, 170, data["points"]
    if not points:
        return ""
    most = max(1, points[-1]["rows"])

    def x(rows: int) -> float:
        return width * (math.log(max(1, rows)) / math.log(most) if logarithmic and most > 1 else rows / most)

    content = [f'<path class="grid" d="{"".join(f"M0 {y}h{width}" for y in (1, 43, 85, 127))}"/>']
    content.append(f'<path class="axis" d="M0 {height - 1}h{width}"/>')
    for kind, name, total in (("legitimate", "false_alarms", data["legitimate"]), ("fraud", "caught", data["fraud"])):
        if total:
            drawn = " ".join(
                f"{x(point['rows']):.0f},{height - 1 - point[name] / total * (height - 3):.1f}" for point in points
            )
            content.append(f'<polyline class="line {kind}" points="0,{height - 1} {drawn}"/>')
    return figure(width, height, label, "".join(content), "curve")


def scatter(points: Sequence[Dict[str, Any]], colours: Dict[int, int], label: str) -> str:
    """The map: rows in no group first, then the others, with the group's number at its middle."""
    drawn: Dict[int, List[str]] = defaultdict(list)
    places: Dict[int, List[Tuple[int, int]]] = defaultdict(list)
    for point in points:
        group = point["group"] if point["group"] in colours else -1
        drawn[-1 if group < 0 else colours[group]].append(f"M{point['x']} {point['y']}h0")
        if group >= 0:
            places[group].append((point["x"], point["y"]))
    content = [
        f'<path class="d{"x" if kind < 0 else kind}" d="{"".join(path)}"/>' for kind, path in sorted(drawn.items())
    ]
    for group, found in list(places.items())[:COLOURS]:
        x, y = _middle([one[0] for one in found]), _middle([one[1] for one in found])
        content.append(f'<text x="{x + 12}" y="{y - 12}">{group}</text>')
    return (
        f'<svg id="map" class="map" viewBox="-20 -20 1040 1040" role="img" aria-label="{to_html(label)}">'
        f"{''.join(content)}"
        '<path id="chosen"/><path id="lasso"/></svg>'
    )


def _middle(values: List[int]) -> int:
    return sorted(values)[len(values) // 2]
