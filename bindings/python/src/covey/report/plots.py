"""The pictures of a case report in a notebook; matplotlib is optional."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List

import numpy as np

from .._errors import NotFoundError
from .._plots import _pyplot
from . import svg
from .catalogue import Catalogue
from .escape import shortened

if TYPE_CHECKING:
    from ..training import TrainingReport

#: As `style.css` has them.
EVENTS = ("#8ec5ff", "#ffc37a", "#8fdcae", "#f5a3b8", "#c9b6ff", "#ffe17a", "#7fdbe0", "#e0b394", "#c5dc7c", "#c3cad2")
FRAUD, FINE, ACCENT = "#b3261e", "#1c6b52", "#0b5cad"


def group_of(model: Dict[str, Any], number: int) -> Dict[str, Any]:
    """A group of the report, by its number."""
    for group in model["groups"]:
        if group["number"] == number:
            found: Dict[str, Any] = group
            return found
    numbers = [group["number"] for group in model["groups"]]
    raise NotFoundError(f"there is no group {number!r} in the report, which has {numbers}")


def plot_profile(model: Dict[str, Any], texts: Catalogue, number: int, axis: Any, most: int) -> Any:
    """Effects with their intervals, the largest at the top."""
    profile = group_of(model, number)["profile"]
    entries = [*profile["features"], *profile["timings"], *profile["categories"], *profile["events"]]
    entries.sort(key=lambda entry: -min(abs(entry["low"]), abs(entry["high"])))
    entries = entries[:most][::-1]
    names = [_label(model, texts, entry) for entry in entries]
    axis = _pyplot().gca() if axis is None else axis
    effects = np.array([entry["effect"] for entry in entries])
    bounds = np.array([[entry["low"], entry["high"]] for entry in entries]).reshape(-1, 2)
    axis.barh(range(len(entries)), effects, color=ACCENT, alpha=0.55)
    if len(entries):
        distances = np.abs(bounds.T - effects)
        axis.errorbar(effects, range(len(entries)), xerr=distances, fmt="none", ecolor="black", capsize=2, linewidth=1)
    axis.set_yticks(range(len(entries)), names, parse_math=False)
    axis.axvline(0, color="grey", linewidth=0.8)
    axis.set_xlim(-1.05, 1.05)
    axis.set_xlabel(texts.word("col.effect"))
    return axis


def _label(model: Dict[str, Any], texts: Catalogue, entry: Dict[str, Any]) -> str:
    if entry["kind"] == "timing":
        return texts.word(f"figure.{entry['name']}")
    name = shortened(model["options"]["names"].get(entry["name"], entry["name"]), 40)
    return f"{name} = {shortened(entry['value'], 40)}" if "value" in entry else name


def plot_sessions(model: Dict[str, Any], number: int, axis: Any) -> Any:
    """The group's sessions above ordinary ones: each event a cell, a wider space a longer pause."""
    sessions = [one for one in [*group_of(model, number)["sessions"], *model["ordinary_sessions"]] if one["events"]]
    axis = _pyplot().gca() if axis is None else axis
    colours = svg.colours(sessions)
    for row, session in enumerate(sessions):
        events = session["events"]
        for x, event in zip(svg.places([event["seconds"] for event in events]), events):
            axis.barh(row, svg.CELL, left=x, height=0.7, color=EVENTS[colours[event["type"]]])
            axis.text(
                x + svg.CELL / 2, row, svg.sign(event["type"]), ha="center", va="center", fontsize=7, clip_on=True
            )
    labels = [f"{shortened(session['key'], 12)} {session['role']}" for session in sessions]
    axis.set_yticks(range(len(sessions)), labels, parse_math=False)
    axis.invert_yaxis()
    axis.set_xticks([])
    shown = sorted({event["type"] for session in sessions for event in session["events"]})
    handles = [
        _patch(EVENTS[colours[kind]], f"{svg.sign(kind)} {shortened(model['event_types'][kind], 24)}") for kind in shown
    ]
    if handles:
        legend = axis.legend(handles=handles, fontsize=7, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.02))
        for text in legend.get_texts():
            text.set_parse_math(False)
    return axis


def _patch(colour: str, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(color=colour, label=label)


def plot_risk(model: Dict[str, Any], texts: Catalogue, axis: Any) -> Any:
    """The share of fraud of each group with its interval, the riskiest at the top, and that of all labelled rows."""
    groups: List[Dict[str, Any]] = [one for one in model["groups"] if one["figures"]["share"] is not None][:40][::-1]
    axis = _pyplot().gca() if axis is None else axis
    figures = [group["figures"] for group in groups]
    shares = np.array([entry["share"] for entry in figures])
    bounds = np.array([[entry["share_low"], entry["share_high"]] for entry in figures]).reshape(-1, 2)
    distances = np.maximum(np.column_stack([shares - bounds[:, 0], bounds[:, 1] - shares]).T, 0)
    axis.errorbar(shares, range(len(groups)), xerr=distances, fmt="o", color=FRAUD, ecolor="grey", capsize=3)
    axis.set_yticks(range(len(groups)), [f"{group['number']} ({group['figures']['rows']:,})" for group in groups])
    if model["data"]["base_rate"] is not None:
        axis.axvline(model["data"]["base_rate"], color=FINE, linestyle="--", linewidth=1)
    axis.set_xlim(-0.02, 1.02)
    axis.set_xlabel(texts.word("col.share"))
    axis.set_ylabel(texts.word("word.group" if model["kind"] == "groups" else "word.cluster"))
    return axis


def plot_training(report: "TrainingReport", axis: Any = None) -> Any:
    """The loss of each epoch, on the sequences trained on and on those held out."""
    axis = _pyplot().gca() if axis is None else axis
    epochs = range(1, len(report.epochs) + 1)
    axis.plot(epochs, [epoch.loss for epoch in report.epochs], marker="o", color=ACCENT, label="trained on")
    held_out = [epoch.held_out_loss for epoch in report.epochs]
    if not np.all(np.isnan(held_out)):
        axis.plot(epochs, held_out, marker="o", color=FRAUD, label="held out")
    axis.set_xlabel("epoch")
    axis.set_ylabel("loss")
    axis.legend()
    return axis
