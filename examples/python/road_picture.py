"""Draws the picture of README: click streams of a risky group beside ordinary ones, what Covey says of the group, and a
score.

Run it from the project's root, after `make build`:

    PYTHONPATH=bindings/python/src python3 examples/python/road_picture.py examples/road.svg

Every number and sentence in the picture is what `covey.find` gives on the shipped sample at default settings.
"""

import sys
import textwrap
from html import escape

import numpy as np
import pandas as pd

import covey

COLOURS = ["#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#9d755d", "#eeca3b", "#79706e", "#d67195"]
SECONDS = 60.0


def read_sample():
    events = pd.read_csv("examples/data/events.csv")
    table = pd.read_csv("examples/data/transactions.csv").astype({"guest": bool, "ships_elsewhere": bool, "vpn": bool})
    return events, table


def find(events, table):
    return covey.find(
        events,
        table,
        "label",
        key="transaction",
        time="seconds",
        dwell="dwell",
        amount="amount",
        when="time",
        encoder=covey.SequenceEncoder.load("examples/data/shop.safetensors"),
    )


def text(x, y, words, size=14, weight="normal", colour="#1f2430", anchor="start"):
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def paragraph(x, y, words, columns, size=14, colour="#1f2430"):
    """Lines of text, and the y below them."""
    lines = textwrap.wrap(words, columns)
    return [text(x, y + i * (size + 6), line, size, colour=colour) for i, line in enumerate(lines)], y + len(lines) * (
        size + 6
    )


def session(x, y, width, events, colours):
    """One click stream: a line from the first event to the last, and a dot for each event in its colour."""
    times = events["seconds"].to_numpy() - events["seconds"].iloc[0]
    shown = times <= SECONDS
    places = x + times[shown] / SECONDS * width
    parts = [f'<line x1="{x}" y1="{y}" x2="{places[-1]:.1f}" y2="{y}" stroke="#c9ced8" stroke-width="2"/>']
    for place, name in zip(places, events["event"].to_numpy()[shown]):
        parts.append(f'<circle cx="{place:.1f}" cy="{y}" r="4.5" fill="{colours[name]}"/>')
    return parts


def draw(found, events, table):
    streams = {key: frame for key, frame in events.groupby("transaction")}
    group = found.groups[0]
    members = np.flatnonzero(found.row_groups == 0)
    ring = members[np.argsort(-found.scores[members])][:6]
    generator = np.random.default_rng(1)
    ordinary = generator.choice(np.flatnonzero(~found.risky), 6, replace=False)
    names = list(
        events[events["transaction"].isin(table["transaction"].iloc[np.concatenate([ring, ordinary])])]["event"]
        .value_counts()
        .index
    )
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}

    parts = [text(24, 38, "1  How they behave", 18, "bold"), text(24, 66, "a risky group", 14, "bold", "#c0392b")]
    for i, row in enumerate(ring):
        parts += session(24, 88 + i * 20, 400, streams[table["transaction"].iloc[row]], colours)
    parts.append(text(24, 230, "ordinary transactions", 14, "bold", "#2c6e49"))
    for i, row in enumerate(ordinary):
        parts += session(24, 252 + i * 20, 400, streams[table["transaction"].iloc[row]], colours)
    parts.append(text(424, 378, f"{SECONDS:.0f} seconds", 12, colour="#5b6472", anchor="end"))
    x = 24
    for name in names[:7]:
        parts.append(f'<circle cx="{x + 5}" cy="400" r="4.5" fill="{colours[name]}"/>')
        parts.append(text(x + 14, 404, name, 12, colour="#5b6472"))
        x += 26 + 7 * len(name)

    parts.append(text(470, 38, "2  What Covey says of the group", 18, "bold"))
    lines, y = paragraph(470, 70, group.text, 56)
    parts += lines
    if found.rules:
        parts.append(text(470, y + 18, "and the rule for fraud", 14, "bold", "#c0392b"))
        lines, y = paragraph(470, y + 44, str(found.rules[0]), 56)
        parts += lines

    row = ring[0]
    key = table["transaction"].iloc[row]
    score = found.engine.score(
        events[events["transaction"] == key],
        table.iloc[[row]].drop(columns="label"),
        key="transaction",
        time="seconds",
        event="event",
        dwell="dwell",
    )[0]
    risk, reasons = float(score.risk), list(score.reasons)
    top = 430
    parts.append(f'<line x1="24" y1="{top}" x2="956" y2="{top}" stroke="#d8dce4"/>')
    parts.append(text(24, top + 36, "3  What it says of the next transaction", 18, "bold"))
    parts.append(text(24, top + 76, f"risk {risk:.2f}", 30, "bold", "#c0392b"))
    parts.append(f'<rect x="24" y="{top + 90}" width="250" height="10" rx="5" fill="#e6e9ef"/>')
    parts.append(f'<rect x="24" y="{top + 90}" width="{250 * risk:.0f}" height="10" rx="5" fill="#c0392b"/>')
    y = top + 66
    for reason in reasons[:4]:
        lines, y = paragraph(310, y, reason, 90)
        parts += lines
        y += 4
    return parts, int(max(y, top + 116))


def picture(parts, height):
    """A page of its own colours, which reads on light and dark pages."""
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 980 {height}" font-family="system-ui, Helvetica,'
                ' Arial, sans-serif" role="img" aria-label="Click streams of a risky group, what Covey says of it, and'
                ' the score of a transaction">'
            ),
            f'<rect x="1" y="1" width="978" height="{height - 2}" rx="10" fill="#ffffff" stroke="#d8dce4"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    events, table = read_sample()
    with find(events, table) as found:
        drawing = picture(*draw(found, events, table))
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(drawing)
