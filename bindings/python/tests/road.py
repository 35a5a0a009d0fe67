"""The canonical road of examples/data/README.md from Python.

python road.py FOLDER       writes what the C and Java programs write, to be compared byte by byte
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import covey

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "data"
SCORED = 1000  # the transactions that the last step scores
NUMERIC = ["amount", "items", "discount", "account_age_days", "orders_before", "returns_share", "email_age_days",
           "distance_km", "ip_risk"]  # fmt: skip
CATEGORICAL = ["country", "device", "payment", "basket", "delivery"]
BOOLEAN = ["guest", "ships_elsewhere", "vpn"]


def read(name):
    """A file's columns as strings; empty means missing and nothing else does ("NA" is a country)."""
    return pd.read_csv(SAMPLE / name, keep_default_na=False, na_values=[""], dtype=str)


def numbers(column):
    # float() reads as strtod does; pandas' own parser may be off by the last bit.
    return np.array([np.nan if text is np.nan or text is pd.NA else float(text) for text in column.astype(object)])


class Road:
    """Every step of the road with the canonical options; its results are the attributes."""

    def __init__(self, context=None):
        events = read("events.csv")
        events = events.assign(**{name: numbers(events[name]) for name in ("seconds", "dwell")})
        self.sequences = covey.Sequences.from_frame(
            events, sequence="transaction", time="seconds", event="event", dwell="dwell"
        )
        table = read("transactions.csv")
        self.transactions = table.assign(
            **{name: numbers(table[name]) for name in ["time", *NUMERIC, "label"]},
            **{name: table[name] == "1" for name in BOOLEAN},
        )
        self.features = self.transactions[NUMERIC + CATEGORICAL + BOOLEAN]
        self.encoder = covey.SequenceEncoder.load(SAMPLE / "shop.safetensors", context=context)
        self.embeddings = self.encoder.embed(self.sequences, context=context)
        self.hybrid = covey.HybridFeatures(embedding_weight=1.5, clip=3.0, context=context)
        self.rows = self.hybrid.fit_transform(self.embeddings, features=self.features)
        self.clusterer = covey.HDBSCAN(
            min_cluster_size=12,
            min_samples=5,
            cluster_selection_method="leaf",
            prediction_data=True,
            context=context,
            missing="reject",  # As C and Java do.
        ).fit(self.rows)
        self.labels = self.clusterer.labels_
        self.risk = covey.cluster_risk(
            self.labels, self.transactions.label, self.transactions.amount, self.transactions.time, context=context
        )
        self.rules = {
            cluster: covey.extract_rules(
                self.features,
                self.labels == cluster,
                min_support=5,
                times=self.transactions.time,
                target_name=f"cluster {cluster}",
                context=context,
            )
            for cluster in self.risk.risky_clusters
        }
        self.engine = covey.Engine.build(
            encoder=self.encoder, hybrid=self.hybrid, clustering=self.clusterer, risk=self.risk, rules=self.rules
        )
        self.scores = self.engine.score(self.sequences[:SCORED], self.features[:SCORED], context=context)


def write_road(folder, context=None):
    """Walks the road and writes its results, little-endian and without headers. Returns the road."""
    folder, road = Path(folder), Road(context)
    folder.mkdir(parents=True, exist_ok=True)
    scores = np.column_stack([road.scores.cluster, road.scores.strength, road.scores.risk])
    found = covey.find(
        road.sequences,
        road.features,
        road.transactions.label,
        amount=road.transactions.amount,
        when=road.transactions.time,
        encoder=road.encoder,
        context=context,
    )
    for name, array, dtype in [
        ("embeddings.f32", road.embeddings, "<f4"),
        ("hybrid.f32", road.rows, "<f4"),
        ("labels.i32", road.labels, "<i4"),
        ("probabilities.f64", road.clusterer.probabilities_, "<f8"),
        ("outlier_scores.f64", road.clusterer.outlier_scores_, "<f8"),
        ("scores.f64", scores, "<f8"),
        ("found_groups.i32", found.row_groups, "<i4"),
        ("found_scores.f64", found.scores, "<f8"),
    ]:
        (folder / name).write_bytes(np.ascontiguousarray(array, dtype=dtype).tobytes())
    with open(folder / "rules.json", "w", encoding="utf-8", newline="\n") as file:
        for rule_set in road.rules.values():
            file.write(rule_set.to_json() + "\n")
    road.engine.save(folder / "engine.safetensors")
    found.engine.save(folder / "found.engine.safetensors")
    return road


if __name__ == "__main__":
    write_road(sys.argv[1])
