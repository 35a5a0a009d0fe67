"""`covey inspect`."""

from __future__ import annotations

import json
import os
import struct
from typing import Any, Dict, Tuple

import click

from .options import common, terminal
from .terminal import Terminal

_KINDS = (
    ("covey.engine", "engine"),
    ("covey.training", "checkpoint of a training"),
    ("covey.encoder", "encoder"),
    ("covey.hybrid", "hybrid features"),
    ("covey.clustering", "clustering"),
    ("covey.risk", "cluster risk"),
)
_LARGEST_HEADER = 100_000_000


@click.command("inspect")
@click.argument("files", nargs=-1, required=True)
@common
def inspect_command(files: Tuple[str, ...], **values: Any) -> None:
    """Says what a Covey file is: encoder, engine, clustering, hybrid features, cluster risk, checkpoint, rule set, run
    file, a saved result, or a table.

    \b
    Example:
        covey inspect case/engine.safetensors case/rules.json
    """
    speaker = terminal(values)
    found = {path: _named(path) for path in files}
    for path, facts in found.items():
        show(speaker, path, facts)
    speaker.result("", found)


def _named(path: str) -> Dict[str, Any]:
    """The facts of a file; errors name it."""
    from .._errors import CoveyError

    try:
        return look(path)
    except CoveyError as failure:
        raise click.ClickException(f"{path!r}: {failure}" if path not in str(failure) else str(failure)) from None


def show(speaker: Terminal, path: str, facts: Dict[str, Any]) -> None:
    """A file's facts as a table."""
    rows = []
    for name, value in facts.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        rows.append(
            (name, text if not isinstance(text, dict) else ", ".join(f"{key} ({item})" for key, item in text.items()))
        )
    speaker.table(
        path,
        ("", ""),
        [(name, str(value) if not isinstance(value, (int, float)) else f"{value:,}") for name, value in rows],
    )


def look(path: str) -> Dict[str, Any]:
    """The facts of a file. Errors: a file that is none of Covey's, or damaged."""
    try:
        with open(path, "rb") as file:
            head = file.read(8)
            size = os.fstat(file.fileno()).st_size
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
            text = file.read(length) if 2 <= length <= min(size - 8, _LARGEST_HEADER) else b""
    except OSError as failure:
        raise click.ClickException(f"cannot read {path!r}: {failure.strerror}") from None
    if head[:2] == b"PK":
        return {**_result(path), "bytes": size}
    if text[:1] == b"{":
        return {**_tensors(path, text), "bytes": size}
    if (
        head[:4] == b"PAR1"
        or head[:6] == b"ARROW1"
        or path.endswith((".csv", ".jsonl", ".ndjson", ".arrow", ".parquet"))
    ):
        from .tables import read_table

        rows = read_table(path, "file")
        return {
            "kind": "table",
            "rows": rows.num_rows,
            "columns": {field.name: str(field.type) for field in rows.schema},
            "bytes": size,
        }
    if path.endswith((".yaml", ".yml")):
        from .runs import Run

        run = Run.read(path)
        return {
            "kind": "run of covey find",
            "inputs": {role: item["path"] for role, item in run.inputs.items()},
            "columns": run.columns,
            "options": {name: str(value) for name, value in run.options.items()},
            "bytes": size,
        }
    if head[:1] in (b"{", b"["):
        from .rules import rules_of

        rules = rules_of(path)
        return {
            "kind": "rule set",
            "rules": len(rules),
            "needs": rules._kinds,
            "texts": [rule.text for rule in rules.rules],
            "bytes": size,
        }
    raise click.ClickException(f"{path!r} is no file of Covey")


def _result(path: str) -> Dict[str, Any]:
    from .._find_results import Found

    found = Found.load(path)
    return {
        "kind": "result of covey find",
        "rows": len(found.labels),
        "risky groups": [group.text for group in found.groups],
        "rules": len(found.rules),
        "risky": int(found.risky.sum()),
    }


def _tensors(path: str, text: bytes) -> Dict[str, Any]:
    try:
        header = json.loads(text)
        entries = header.get("__metadata__", {})
    except (ValueError, AttributeError):
        raise click.ClickException(f"{path!r} is damaged: its header is no JSON") from None
    kind = next((word for entry, word in _KINDS if entry in entries), None)
    if kind is None:
        raise click.ClickException(f"{path!r} is safetensors, and no file of Covey")
    facts: Dict[str, Any] = {"kind": kind, "tensors": len(header) - 1}
    return {**facts, **_FACTS[kind](path)} if kind in _FACTS else facts


def _encoder(path: str) -> Dict[str, Any]:
    from ..encoder import SequenceEncoder

    return _of_encoder(SequenceEncoder.load(path))


def _of_encoder(encoder: Any) -> Dict[str, Any]:
    names = encoder.vocabulary.names
    return {
        "dimension": encoder.dimension,
        "event types": len(names),
        "first event types": names[:10],
        "uses dwell": encoder.uses_dwell,
        "numeric channels": encoder.numeric_names,
        "categorical channels": encoder.categorical_names,
    }


def _engine(path: str) -> Dict[str, Any]:
    from ..engine import Engine

    engine = Engine.load(path)
    inside = (
        {}
        if engine.encoder is None
        else {f"encoder: {name}": value for name, value in _of_encoder(engine.encoder).items()}
    )
    return {
        "hash": engine.hash,
        "rows": engine.rows,
        "features": engine.features,
        "encoder": engine.encoder is not None,
        **inside,
    }


def _hybrid(path: str) -> Dict[str, Any]:
    from ..hybrid import HybridFeatures

    hybrid = HybridFeatures.load(path)
    return {"dimension": hybrid.n_features_out_, "columns": hybrid.get_feature_names_out().tolist()}


def _clustering(path: str) -> Dict[str, Any]:
    from ..clustering import HDBSCAN

    clusterer = HDBSCAN.load(path)
    labels = clusterer.labels_
    return {
        "rows": len(labels),
        "columns": clusterer.n_features_in_,
        "clusters": int(labels.max(initial=-1)) + 1,
        "noise": int((labels < 0).sum()),
        "min_cluster_size": clusterer.min_cluster_size,
        "metric": str(clusterer.metric),
    }


def _risk(path: str) -> Dict[str, Any]:
    from ..risk import ClusterRisk

    risk = ClusterRisk.load(path)
    return {"clusters": len(risk), "risky clusters": risk.risky_clusters, "base rate": risk.base_rate}


_FACTS = {
    "encoder": _encoder,
    "engine": _engine,
    "hybrid features": _hybrid,
    "clustering": _clustering,
    "cluster risk": _risk,
}
