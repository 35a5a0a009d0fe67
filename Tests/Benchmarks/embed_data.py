"""The labelled sequences of embed_quality.py, cut before what is to be predicted, and hand-made aggregates of them.

bpi2012_loan: a bank's loan applications; an event's type is its activity and stage. Everything from the first outcome or
fraud review on is cut, and of what is left the first k events are seen, k drawn by the seed: else the end of a sequence
would say that an outcome comes next. Label: declined. Applications that were still open at the end of the log are left out.

fraud_handbook_sim: card payments, simulated. A sequence is a customer's payments up to and with the one to be judged, at
most 24; nothing after it is known. Event type: band of the amount, whether the customer was seen at that terminal before,
quarter of the day. Label: that payment is fraud. Of each customer up to 2 fraudulent and 6 genuine payments are drawn by the
seed, so fraud is more frequent than in the log. The terminals' own histories are not used, and so fraud at compromised
terminals (62 % of all) cannot be seen.
"""
import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DATA = os.environ.get("COVEY_SHARED_DATA", os.path.join(ROOT, "..", "shared", "data"))
PAYMENTS = 24
OUTCOMES = ["A_DECLINED", "A_CANCELLED", "A_APPROVED", "A_REGISTERED", "A_ACTIVATED", "O_ACCEPTED", "O_DECLINED",
            "W_Beoordelen fraude"]
DAY = 86_400.0


@dataclass
class Labelled:
    """Ragged events, and for each sequence its label, its customer and what an expert would count."""
    offsets: np.ndarray
    types: np.ndarray  # from 1
    names: list
    times: np.ndarray
    numeric: dict  # channels
    label: np.ndarray
    group: np.ndarray
    aggregates: pd.DataFrame = None

    def __len__(self):
        return len(self.label)


def loans(sequences, seed=0):
    folder = os.path.join(DATA, "bpi2012_loan")
    events = pd.read_csv(os.path.join(folder, "events.csv.gz"))
    cases = pd.read_csv(os.path.join(folder, "cases.csv.gz")).set_index("case")
    events = events.sort_values(["case", "t_seconds"], kind="stable")
    ended = events.activity.isin(OUTCOMES).groupby(events.case).cummax()
    events = events[~ended & (cases.outcome.reindex(events.case) != "open").to_numpy()]
    random = np.random.default_rng(seed)
    counts = events.groupby("case").size()
    chosen = np.sort(random.permutation(counts.index.to_numpy())[:sequences])
    seen = pd.Series(random.integers(np.minimum(2, counts), counts, endpoint=True), counts.index)
    events = events[events.case.isin(chosen)]
    events = events[(events.groupby("case").cumcount() < seen.reindex(events.case).to_numpy()).to_numpy()]
    codes, names = pd.factorize(events.activity + " " + events.lifecycle, sort=True)
    found = Labelled(
        np.concatenate([[0], np.cumsum(events.groupby("case").size())]), codes.astype(np.int32) + 1, list(names),
        events.t_seconds.to_numpy(), {}, (cases.outcome.reindex(chosen) == "declined").to_numpy(), chosen)
    amount = np.log1p(cases.amount_req.reindex(events.case).to_numpy())
    found.numeric = {"amount": amount, **_clock(found.times)}
    found.aggregates = _aggregates(found, None)
    return found


def payments(sequences, seed=0):
    table = pd.read_csv(os.path.join(DATA, "fraud_handbook_sim", "transactions.csv.gz"))
    table = table.sort_values(["customer_id", "t_seconds"], kind="stable").reset_index(drop=True)
    random = np.random.default_rng(seed)
    customers = random.permutation(table.customer_id.unique())
    place = table.groupby("customer_id").cumcount().to_numpy()
    table["seen"] = table.groupby(["customer_id", "terminal_id"]).cumcount() > 0
    drawn = pd.DataFrame({"row": np.arange(len(table)), "customer": table.customer_id, "fraud": table.fraud,
                          "order": random.random(len(table))})[place >= 5].sort_values("order")
    rank = drawn.groupby(["customer", "fraud"]).cumcount()
    drawn = drawn[rank < np.where(drawn.fraud == 1, 2, 6)]
    turn = pd.Series(np.arange(len(customers)), customers)
    last = np.sort(drawn.row.to_numpy()[np.argsort(turn[drawn.customer].to_numpy(), kind="stable")[:sequences]])
    first = last - np.minimum(place[last], PAYMENTS - 1)
    offsets = np.concatenate([[0], np.cumsum(last - first + 1)])
    rows = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], np.diff(offsets))
    amounts = table.amount.to_numpy()[rows]
    bands = np.quantile(table.amount, [0.2, 0.5, 0.8, 0.95, 0.99])
    band = np.searchsorted(bands, amounts)
    times = table.t_seconds.to_numpy(dtype=np.float64)[rows]
    quarter = (times % DAY // (DAY / 4)).astype(int)
    seen = table.seen.to_numpy()[rows].astype(int)
    names = [f"amount band {a}, {b} terminal, quarter {c}" for a in range(len(bands) + 1) for b in ("new", "known")
             for c in range(4)]
    found = Labelled(
        offsets, (1 + (band * 2 + seen) * 4 + quarter).astype(np.int32), names, times,
        {"amount": np.log1p(amounts), **_clock(times)}, table.fraud.to_numpy()[last] == 1,
        table.customer_id.to_numpy()[last])
    found.aggregates = _aggregates(found, amounts, seen)
    return found


SETS = {"bpi2012_loan": loans, "fraud_handbook_sim": payments}


def _clock(times):
    angle = times % DAY / DAY * 2 * np.pi
    return {"hour sine": np.sin(angle), "hour cosine": np.cos(angle)}


def _aggregates(found, amounts, seen=None):
    """Counts and shares of types, the last types, gaps, duration, pace, the clock; amounts, the last beside the rest."""
    lengths, last = np.diff(found.offsets), found.offsets[1:] - 1
    sequence = np.repeat(np.arange(len(found)), lengths)
    columns = {"events": lengths, "hour": found.times[last] % DAY / 3600, "weekday": found.times[last] // DAY % 7}
    counts = np.zeros((len(found), len(found.names)))
    np.add.at(counts, (sequence, found.types - 1), 1)
    columns |= {f"count {name}": counts[:, index] for index, name in enumerate(found.names)}
    columns |= {f"share {name}": counts[:, index] / lengths for index, name in enumerate(found.names)}
    columns["distinct types"] = (counts > 0).sum(axis=1)
    for back in range(3):
        type_ = np.where(lengths > back, found.types[np.maximum(last - back, 0)], 0)
        columns |= {f"{back} before the last: {name}": type_ == index + 1 for index, name in enumerate(found.names)}
    gaps = np.diff(found.times, prepend=found.times[:1])
    gaps[found.offsets[:-1]] = np.nan
    columns |= _statistics("log gap", np.log1p(np.maximum(gaps, 0)), sequence, last)
    duration = found.times[last] - found.times[found.offsets[:-1]]
    columns |= {"log duration": np.log1p(duration), "pace": np.log1p(lengths / (duration + 60) * 3600)}
    ages = found.times[last][sequence] - found.times
    for days in (1 / 24, 1, 7):
        columns[f"events of the last {days:.2g} days"] = np.bincount(sequence, ages <= days * DAY, len(found))
    columns["amount"] = found.numeric["amount"][last]
    if amounts is not None:
        columns |= _statistics("amount", amounts, sequence, last)
        mean, deviation = columns["amount mean"], columns["amount deviation"]
        columns["amount over mean"] = amounts[last] / np.maximum(mean, 0.01)
        columns["amount in deviations"] = (amounts[last] - mean) / np.maximum(deviation, 0.01)
        columns["amount over median"] = amounts[last] / np.maximum(columns["amount median"], 0.01)
        for days in (1, 7):
            near = ages <= days * DAY
            columns[f"amounts of the last {days} days"] = np.bincount(sequence, amounts * near, len(found))
            columns[f"largest of the last {days} days over mean"] = pd.Series(
                np.where(near, amounts, 0)).groupby(sequence).max().to_numpy() / np.maximum(mean, 0.01)
        columns["share of new terminals"] = 1 - np.bincount(sequence, seen, len(found)) / lengths
    return pd.DataFrame(columns).astype(np.float64)


def _statistics(name, values, sequence, last):
    grouped = pd.Series(values).groupby(sequence)
    columns = {f"{name} {word}": getattr(grouped, function)().to_numpy() for word, function in (
        ("mean", "mean"), ("deviation", "std"), ("median", "median"), ("least", "min"), ("largest", "max"))}
    columns[f"{name} last"] = values[last]
    return {key: np.nan_to_num(column) for key, column in columns.items()}
