"""The labelled sequences of embed_quality.py, cut before what is to be predicted, and what is made of them by hand.

bpi2012_loan: a bank's loan applications; an event's type is its activity and stage. Everything from the first outcome
    or
fraud review on is cut, and of what is left the first k events are seen, k drawn by the seed: else the end of a sequence
would say that an outcome comes next. Label: declined. Applications that were still open at the end of the log are left
    out.

fraud_handbook_sim: card payments, simulated. A sequence is a customer's payments up to and with the one to be judged,
at most 24; nothing after it is known. Event type: band of the amount, whether the customer was seen at that terminal
before,
quarter of the day. Label: that payment is fraud. Payments at compromised terminals (scenario 2) are not judged: only
the terminals' own histories tell them from genuine ones. Of each customer up to 4 fraudulent and 6 genuine payments are
drawn by the seed, so fraud is more frequent than in the log.

Two sets of columns by hand. `aggregates`: how often each type occurs, and mean, largest, least, sum and deviation of
each number, as the aggregation encoding of Teinemaa et al. 2019 has them, and of payments what the Fraud Detection
Handbook (Le Borgne et al. 2022, chapter 3) makes of a customer's: the last amount, weekend, night, number and mean
amount of the last 1,
7 and 30 days. `expert`: all that we could think of, with the last types, shares, pace, and the last amount beside the
    rest.
"""

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraud_sets import DATA, DAY, OUTCOMES

PAYMENTS = 24


@dataclass
class Labelled:
    """Ragged events, and for each sequence its label, its customer and the columns made by hand."""

    offsets: np.ndarray
    types: np.ndarray  # from 1
    names: list
    times: np.ndarray
    numeric: dict  # channels
    label: np.ndarray
    group: np.ndarray
    aggregates: pd.DataFrame = None
    expert: pd.DataFrame = None

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
        np.concatenate([[0], np.cumsum(events.groupby("case").size())]),
        codes.astype(np.int32) + 1,
        list(names),
        events.t_seconds.to_numpy(),
        {},
        (cases.outcome.reindex(chosen) == "declined").to_numpy(),
        chosen,
    )
    amount = np.log1p(cases.amount_req.reindex(events.case).to_numpy())
    found.numeric = {"amount": amount, **_clock(found.times)}
    found.aggregates, found.expert = _aggregates(found, None), _expert(found, None)
    return found


def payments(sequences, seed=0):
    table = pd.read_csv(os.path.join(DATA, "fraud_handbook_sim", "transactions.csv.gz"))
    table = table.sort_values(["customer_id", "t_seconds"], kind="stable").reset_index(drop=True)
    random = np.random.default_rng(seed)
    customers = random.permutation(table.customer_id.unique())
    place = table.groupby("customer_id").cumcount().to_numpy()
    table["seen"] = table.groupby(["customer_id", "terminal_id"]).cumcount() > 0
    judged = (place >= 5) & (table.fraud_scenario != 2).to_numpy()
    drawn = pd.DataFrame(
        {
            "row": np.arange(len(table)),
            "customer": table.customer_id,
            "fraud": table.fraud,
            "order": random.random(len(table)),
        }
    )[judged].sort_values("order")
    rank = drawn.groupby(["customer", "fraud"]).cumcount()
    drawn = drawn[rank < np.where(drawn.fraud == 1, 4, 6)]
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
    names = [
        f"amount band {a}, {b} terminal, quarter {c}"
        for a in range(len(bands) + 1)
        for b in ("new", "known")
        for c in range(4)
    ]
    found = Labelled(
        offsets,
        (1 + (band * 2 + seen) * 4 + quarter).astype(np.int32),
        names,
        times,
        {"amount": np.log1p(amounts), **_clock(times)},
        table.fraud.to_numpy()[last] == 1,
        table.customer_id.to_numpy()[last],
    )
    found.aggregates, found.expert = _aggregates(found, amounts), _expert(found, amounts, seen)
    return found


SETS = {"bpi2012_loan": loans, "fraud_handbook_sim": payments}


def _clock(times):
    angle = times % DAY / DAY * 2 * np.pi
    return {"hour sine": np.sin(angle), "hour cosine": np.cos(angle)}


def _aggregates(found, amounts):
    """Frequencies of types and statistics of numbers; of payments the Handbook's columns too."""
    lengths, last = np.diff(found.offsets), found.offsets[1:] - 1
    sequence = np.repeat(np.arange(len(found)), lengths)
    first = found.offsets[:-1]
    gaps = np.diff(found.times, prepend=found.times[:1])
    gaps[first] = 0
    numbers = {
        "gap": gaps,
        "since the first": found.times - found.times[first][sequence],
        "place": np.arange(len(sequence)) - first[sequence] + 1,
        "time of day": found.times % DAY,
        "weekday": found.times // DAY % 7,
    }
    columns = {f"count {name}": column for name, column in zip(found.names, _counts(found, sequence).T)}
    if amounts is None:
        columns["amount"] = found.numeric["amount"][last]
    else:
        numbers["amount"] = amounts
        columns |= {
            "amount": amounts[last],
            "night": found.times[last] % DAY <= DAY / 4,
            "weekend": (found.times[last] // DAY + 6) % 7 >= 5,
        }  # day 0 is a Sunday
        ages = found.times[last][sequence] - found.times
        for days in (1, 7, 30):
            near = ages <= days * DAY
            columns[f"events of {days} days"] = np.bincount(sequence, near, len(found))
            columns[f"mean amount of {days} days"] = (
                np.bincount(sequence, amounts * near, len(found)) / columns[f"events of {days} days"]
            )
    for name, values in numbers.items():
        columns |= _statistics(name, values, sequence, ["mean", "largest", "least", "sum", "deviation"])
    return pd.DataFrame(columns).astype(np.float64)


def _counts(found, sequence):
    counts = np.zeros((len(found), len(found.names)))
    np.add.at(counts, (sequence, found.types - 1), 1)
    return counts


def _expert(found, amounts, seen=None):
    """Counts and shares of types, the last types, gaps, duration, pace, the clock; amounts, the last beside the
    rest."""
    lengths, last = np.diff(found.offsets), found.offsets[1:] - 1
    sequence = np.repeat(np.arange(len(found)), lengths)
    columns = {"events": lengths, "hour": found.times[last] % DAY / 3600, "weekday": found.times[last] // DAY % 7}
    counts = _counts(found, sequence)
    columns |= {f"count {name}": counts[:, index] for index, name in enumerate(found.names)}
    columns |= {f"share {name}": counts[:, index] / lengths for index, name in enumerate(found.names)}
    columns["distinct types"] = (counts > 0).sum(axis=1)
    for back in range(3):
        type_ = np.where(lengths > back, found.types[np.maximum(last - back, 0)], 0)
        columns |= {f"{back} before the last: {name}": type_ == index + 1 for index, name in enumerate(found.names)}
    gaps = np.diff(found.times, prepend=found.times[:1])
    gaps[found.offsets[:-1]] = np.nan
    columns |= _statistics("log gap", np.log1p(np.maximum(gaps, 0)), sequence, EXPERT)
    duration = found.times[last] - found.times[found.offsets[:-1]]
    columns |= {"log duration": np.log1p(duration), "pace": np.log1p(lengths / (duration + 60) * 3600)}
    ages = found.times[last][sequence] - found.times
    for days in (1 / 24, 1, 7):
        columns[f"events of the last {days:.2g} days"] = np.bincount(sequence, ages <= days * DAY, len(found))
    columns["amount"] = found.numeric["amount"][last]
    if amounts is not None:
        columns |= _statistics("amount", amounts, sequence, EXPERT)
        mean, deviation = columns["amount mean"], columns["amount deviation"]
        columns["amount over mean"] = amounts[last] / np.maximum(mean, 0.01)
        columns["amount in deviations"] = (amounts[last] - mean) / np.maximum(deviation, 0.01)
        columns["amount over median"] = amounts[last] / np.maximum(columns["amount median"], 0.01)
        for days in (1, 7):
            near = ages <= days * DAY
            columns[f"amounts of the last {days} days"] = np.bincount(sequence, amounts * near, len(found))
            columns[f"largest of the last {days} days over mean"] = pd.Series(np.where(near, amounts, 0)).groupby(
                sequence
            ).max().to_numpy() / np.maximum(mean, 0.01)
        columns["share of new terminals"] = 1 - np.bincount(sequence, seen, len(found)) / lengths
    return pd.DataFrame(columns).astype(np.float64)


STATISTICS = {
    "mean": "mean",
    "deviation": "std",
    "median": "median",
    "least": "min",
    "largest": "max",
    "sum": "sum",
    "last": "last",
}
EXPERT = ["mean", "deviation", "median", "least", "largest", "last"]


def _statistics(name, values, sequence, words):
    grouped = pd.Series(values).groupby(sequence)
    return {f"{name} {word}": np.nan_to_num(getattr(grouped, STATISTICS[word])().to_numpy()) for word in words}
