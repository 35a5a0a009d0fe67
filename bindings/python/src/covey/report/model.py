"""The report as plain data: everything that is shown, and nothing that is not; `schema.json` describes it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from typing import Any, Dict, List, Optional

import numpy as np

from .._versions import versions
from . import cases
from .profile import Contrast
from .described import DESCRIBED_GROUPS, describing_rules, feature_columns, shown_rules
from .source import Group, Source
from .statistics import finite

#: Groups whose members are scored again at shares of their sessions.
EARLY_GROUPS = 8
#: Seconds since 1970 from which times are shown as dates (1990); smaller ones are shown as days of the data's clock.
DATES_FROM = 631_152_000.0


@dataclasses.dataclass(frozen=True)
class Options:
    """What the caller chose."""

    mask: bool = True
    links: Optional[List[str]] = None
    names: Dict[str, str] = dataclasses.field(default_factory=dict)
    units: Dict[str, str] = dataclasses.field(default_factory=dict)
    currency: str = ""
    limit: int = 200
    exemplars: int = 4
    ordinary: int = 3
    events: int = 40
    alerts: int = 20
    confidence: float = 0.95


class Masking:
    """Identifiers as short digests with the rows themselves as the key: the same ones for the same data, told by nobody
    who does not have it."""

    def __init__(self, source: Source, enabled: bool) -> None:
        self.enabled = enabled
        self._secret = bytes.fromhex(source.digest(b"covey-mask"))

    def __call__(self, value: str) -> str:
        if not self.enabled:
            return value
        encoded = value.encode("utf-8", "surrogatepass")
        return "#" + hashlib.blake2b(encoded, digest_size=4, key=self._secret).hexdigest()


def build(source: Source, options: Options) -> Dict[str, Any]:
    """The whole report. O(rows log rows), then O(members) a group that is shown."""
    masked = Masking(source, options.mask)
    links = _links(source, options)
    contrast = Contrast(source, options.confidence, links)
    shown = source.groups[: options.limit]
    left_out = source.groups[options.limit :]
    data = _data(source)
    every_row = np.arange(source.rows)
    features = feature_columns(source)
    ordinary = _ordinary_sessions(source, contrast, options)
    groups = [
        _group(source, group, contrast, options, masked, place, data, features) for place, group in enumerate(shown)
    ]
    return {
        "format": "covey-report",
        "version": 1,
        "kind": source.kind,
        "data": data,
        "identity": {
            "data": source.digest(b"covey-data"),
            "engine": None if source.engine is None else source.engine.hash,
            "versions": {
                name: text for name, text in versions().items() if name in ("covey", "libcovey", "python", "numpy")
            },
        },
        "settings": _plain(source.settings),
        "options": _plain({**dataclasses.asdict(options), "links": links}),
        "groups": groups,
        "left_out": {
            "groups": len(left_out),
            "rows": sum(len(group.members) for group in left_out),
            "known": sum(group.known for group in left_out),
        },
        "alerts": _alerts(source, options, masked),
        "ordinary_sessions": [{**entry, "key": masked(entry["key"])} for entry in ordinary],
        "event_types": [] if contrast.paths is None else contrast.paths.labels,
        "curve": cases.curve(source, every_row),
        "map": _map(source, shown, masked),
        "rules": shown_rules(source),
        "findings": list(source.findings),
        "unknowns": _unknowns(source, links),
    }


def _links(source: Source, options: Options) -> List[str]:
    """The columns whose equal values link rows: those the caller names, else those that were left out as
    identifiers."""
    if options.links is not None:
        return list(options.links)
    return [name for name in source.identifiers if source.frame is not None]


def _data(source: Source) -> Dict[str, Any]:
    known = source.known
    times, amounts = source.times, source.amounts
    labelled = int(np.sum(~np.isnan(known)))
    return {
        "rows": source.rows,
        "fraud": int(np.sum(known == 1)),
        "legitimate": int(np.sum(known == 0)),
        "unknown": source.rows - labelled,
        "base_rate": float(np.sum(known == 1) / labelled) if labelled else None,
        "known_share": source.settings.get("known_share"),
        "confidence": float(source.settings.get("groups", {}).get("confidence", 0.95)),
        "amount": None if amounts is None else float(amounts.sum()),
        "loss": None if amounts is None else float(amounts[known == 1].sum()),
        "first_seen": None if times is None or not len(times) else float(times.min()),
        "last_seen": None if times is None or not len(times) else float(times.max()),
        "times_are_dates": bool(times is not None and len(times) and times.min() >= DATES_FROM),
        "key_name": source.key_name,
        "events": None if source.sequences is None else source.sequences.event_count,
        "features": [column.name for column in source.columns],
        "in_groups": int(np.sum(source.row_groups >= 0)),
    }


def _group(
    source: Source,
    group: Group,
    contrast: Contrast,
    options: Options,
    masked: Masking,
    place: int,
    data: Dict[str, Any],
    features: Dict[str, Any],
) -> Dict[str, Any]:
    members = group.members
    figures = _figures(source, group)
    profile = contrast.profile(group)
    for link in profile["links"]:
        link["value"] = masked(link["value"])
    chosen = cases.spread(members, cases.MOST_MEMBERS)
    picked = cases.exemplars(cases.Space(source, chosen).points, options.exemplars)
    exemplars = [int(chosen[index]) for index in picked]
    uncertain = _uncertain(source, group, exemplars)
    sessions = [_session(source, contrast, row, "exemplar", options, masked) for row in exemplars]
    sessions += [_session(source, contrast, row, "uncertain", options, masked) for row in uncertain]
    return {
        "number": group.number,
        "rank": place,
        "of_evidence": group.of_evidence,
        "figures": figures,
        "cautions": _cautions(figures, data, source.kind),
        "sentence": group.sentence,
        "profile": profile,
        "sessions": sessions,
        "timeline": cases.timeline(source, group),
        "early": cases.early(source, group, features) if place < EARLY_GROUPS else None,
        "curve": cases.curve(source, members, 12),
        "rules": describing_rules(source, group, features) if place < DESCRIBED_GROUPS else [],
    }


def _figures(source: Source, group: Group) -> Dict[str, Any]:
    """Those of the library, and sums over the group's own rows."""
    members, amounts, times = group.members, source.amounts, source.times
    known = source.known[members]
    found: Dict[str, Any] = {
        "rows": len(members),
        "known": group.known,
        "legitimate": group.legitimate,
        "unknown": group.unknown,
        "share": finite(group.share),
        "share_low": finite(group.share_low),
        "share_high": finite(group.share_high),
        "lift": finite(group.lift),
        "p_value": finite(group.p_value),
        "score": float(np.mean(source.scores[members])) if len(members) else None,
    }
    share = found["share"]
    labelled = group.known + group.legitimate
    found["labelled_share"] = group.known / labelled if labelled else None
    #: Of the estimated frauds in the group those that are not yet known, at most all unknown rows.
    expected = None if share is None else min(float(group.unknown), max(0.0, share * len(members) - group.known))
    found["expected"] = expected
    if amounts is not None:
        unknown_amount = float(amounts[members][np.isnan(known)].sum())
        found["amount"] = float(amounts[members].sum())
        found["loss"] = float(amounts[members][known == 1].sum())
        found["unknown_amount"] = unknown_amount
        found["expected_amount"] = None if expected is None else unknown_amount * expected / max(1, group.unknown)
    if times is not None and len(members):
        own = times[members]
        last = float(times.max())
        window = min(14 * 86400.0, (last - float(times.min())) / 2)
        found["first_seen"], found["last_seen"] = float(own.min()), float(own.max())
        found["half_seen"] = float(np.median(own))
        found["window_days"] = window / 86400
        found["recent"] = int(np.sum(own > last - window))
        found["before"] = int(np.sum((own <= last - window) & (own > last - 2 * window)))
    return found


def _cautions(figures: Dict[str, Any], data: Dict[str, Any], kind: str) -> List[str]:
    """Why nobody should act on the group alone; words of the catalogue of texts."""
    found = []
    if figures["known"] == 0:
        found.append("no_known_fraud")
    elif figures["known"] + figures["legitimate"] < 5:
        found.append("few_labels")
    low, base = figures["share_low"], data["base_rate"]
    if figures["known"] and low is not None and base is not None and low <= base:
        found.append("near_base_rate")
    elif (
        figures["known"] and low is not None and figures["share_high"] is not None and figures["share_high"] - low > 0.5
    ):
        found.append("wide_interval")
    if figures["rows"] < 5:
        found.append("few_rows")
    return found


def _uncertain(source: Source, group: Group, exemplars: List[int]) -> List[int]:
    """The member of which nothing is known and whose score is lowest: the one to doubt first."""
    members = group.members[np.isnan(source.known[group.members])]
    members = members[~np.isin(members, exemplars)]
    return [int(members[np.argmin(source.scores[members])])] if len(members) else []


def _session(
    source: Source, contrast: Contrast, row: int, role: str, options: Options, masked: Masking
) -> Dict[str, Any]:
    if contrast.paths is None:
        found = {**cases.case(source, row), "role": role, "events": [], "events_left_out": 0}
    else:
        found = cases.session(source, contrast.paths, row, role, options.events)
    found["key"] = masked(found["key"])
    return found


def _ordinary_sessions(source: Source, contrast: Contrast, options: Options) -> List[Dict[str, Any]]:
    """Ordinary rows that stand for the others."""
    if contrast.paths is None or not len(contrast.ordinary):
        return []
    chosen = cases.spread(contrast.ordinary, cases.MOST_MEMBERS)
    picked = cases.exemplars(cases.Space(source, chosen).points, options.ordinary)
    return [cases.session(source, contrast.paths, int(chosen[index]), "ordinary", options.events) for index in picked]


def _alerts(source: Source, options: Options, masked: Masking) -> List[Dict[str, Any]]:
    """Rows of which nothing is known, the highest scores first."""
    rows = np.flatnonzero(np.isnan(source.known))
    order = rows[np.argsort(-source.scores[rows], kind="stable")][: options.alerts]
    found = [cases.case(source, int(row)) for row in order]
    return [
        {**entry, "key": masked(entry["key"]), "evidence": _evidence(source, int(row))}
        for entry, row in zip(found, order)
    ]


def _evidence(source: Source, row: int) -> Optional[Dict[str, float]]:
    return None if source.evidence is None else {part: float(values[row]) for part, values in source.evidence.items()}


def _map(source: Source, shown: List[Group], masked: Masking) -> Dict[str, Any]:
    """Principal components of members and of ordinary rows, in whole numbers of 0 to 1000."""
    groups = shown[:60]
    each = max(5, 1200 // max(1, len(groups)))
    members = [cases.spread(group.members, each) for group in groups]
    ordinary = cases.spread(np.flatnonzero(source.row_groups < 0), cases.MOST_ORDINARY)
    rows = (
        np.concatenate([*members, ordinary]).astype(np.int64)
        if len(ordinary) or members
        else np.zeros(0, dtype=np.int64)
    )
    if not len(rows) or (source.sequences is None and not source.columns):
        return {"method": "pca", "explained": None, "points": [], "nearest": []}
    space = cases.Space(source, rows)
    plane, explained = space.plane()
    low, high = np.quantile(plane, 0.005, axis=0), np.quantile(plane, 0.995, axis=0)
    width = np.where(high > low, high - low, 1.0)
    places = np.clip((plane - low) / width * 1000, 0, 1000).astype(int)
    points = [
        {
            "x": int(x),
            "y": 1000 - int(y),
            "group": int(source.row_groups[row]),
            "row": int(row),
            "key": masked(source.key(int(row))),
        }
        for (x, y), row in zip(places, rows)
    ]
    nearest = _nearest([space.of(chosen).mean(axis=0) for chosen in members], [group.number for group in groups])
    return {"method": "pca", "explained": explained, "points": points, "nearest": nearest}


def _nearest(centres: List[Any], numbers: List[int]) -> List[Dict[str, Any]]:
    """Of each group the one whose centre is nearest, and how far, in the units of the map's space."""
    found = []
    for place, centre in enumerate(centres):
        distances = np.array([np.linalg.norm(centre - other) for other in centres])
        distances[place] = np.inf
        if len(centres) > 1:
            other = int(np.argmin(distances))
            found.append({"group": numbers[place], "other": numbers[other], "distance": float(distances[other])})
    return found


def _unknowns(source: Source, links: List[str]) -> List[str]:
    """What the report cannot know; words of the catalogue of texts."""
    found = ["late_labels"] if np.any(np.isnan(source.known)) and np.any(source.known == 1) else []
    found += [] if np.any(source.known == 1) else ["no_fraud"]
    found += ["no_times"] if source.times is None else []
    found += ["no_amounts"] if source.amounts is None else []
    found += ["no_events"] if source.sequences is None else []
    found += ["no_features"] if not source.columns else []
    found += [] if links else ["no_links"]
    found += ["no_keys"] if source.keys is None else []
    return found + ["cause", "score_seen"]


def _plain(value: Any) -> Any:
    """Numbers, strings, lists and mappings that JSON has."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
