"""The sets of fraud.py: events, features and the truth, as a new user would pass them.

Each is a frame of events (columns `key`, `time`, `event`, for the sample `dwell`), a frame of features with the column
`key`, the truth (1 fraud, 0 not), amounts and times where there are any. Nothing that is known only after the outcome
is
in the features: what a set's notes call a leak is dropped.
"""

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

import fraud_rings

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DATA = os.environ.get("COVEY_SHARED_DATA", os.path.join(ROOT, "..", "shared", "data"))
OUTCOMES = [
    "A_DECLINED",
    "A_CANCELLED",
    "A_APPROVED",
    "A_REGISTERED",
    "A_ACTIVATED",
    "O_ACCEPTED",
    "O_DECLINED",
    "W_Beoordelen fraude",
]
DAY = 86_400.0


@dataclass
class FraudSet:
    """One row of `features` a transaction; `truth`, `amount` and `when` stand beside it."""

    name: str
    events: pd.DataFrame
    features: pd.DataFrame
    truth: np.ndarray
    amount: np.ndarray = None
    when: np.ndarray = None
    labels: np.ndarray = None  # what a set itself says is known, with NaN; else labels are drawn

    def __len__(self):
        return len(self.truth)

    def part(self, rows):
        """The rows given (indices), with their events."""
        pick = lambda column: None if column is None else column[rows]
        features = self.features.iloc[rows].reset_index(drop=True)
        events = self.events[self.events["key"].isin(features["key"])].reset_index(drop=True)
        return FraudSet(
            self.name, events, features, self.truth[rows], pick(self.amount), pick(self.when), pick(self.labels)
        )


def half(data, which, seed=20):
    """`choose` or `report`: half of the rows, drawn by a fixed seed. Methods are chosen on the first alone."""
    order = np.random.default_rng(seed).permutation(len(data))
    rows = order[: len(data) // 2] if which == "choose" else order[len(data) // 2 :]
    return data.part(np.sort(rows))


def _shared(name):
    folder = os.path.join(DATA, name)
    events = pd.read_csv(os.path.join(folder, "events.csv.gz")).rename(columns={"sequence": "key"})
    rows = pd.read_csv(os.path.join(folder, "rows.csv.gz")).rename(columns={"sequence": "key"})
    truth = rows.pop("fraud").to_numpy()
    return events, rows, truth


def amlsim_accounts():
    # An account, as a user below, is judged at no time of its own: rows are split at random.
    events, rows, truth = _shared("amlsim_accounts")
    return FraudSet("amlsim_accounts", events, rows, truth, rows.sum_out.fillna(0).to_numpy())


def hdfs_sessions():
    return FraudSet("hdfs_sessions", *_shared("hdfs_sessions"))


def wikipedia_bans():
    return FraudSet("wikipedia_bans", *_shared("wikipedia_bans"))


def bpi2012_loan(label="declined"):
    """Applications, cut before the outcome and after a number of events that is drawn: else the end would tell."""
    folder = os.path.join(DATA, "bpi2012_loan")
    events = pd.read_csv(os.path.join(folder, "events.csv.gz"))
    cases = pd.read_csv(os.path.join(folder, "cases.csv.gz")).set_index("case")
    events = events.sort_values(["case", "t_seconds"], kind="stable")
    start = events.groupby("case").t_seconds.min()
    ended = events.activity.isin(OUTCOMES).groupby(events.case).cummax()
    events = events[~ended & (cases.outcome.reindex(events.case) != "open").to_numpy()]
    counts = events.groupby("case").size()
    seen = pd.Series(np.random.default_rng(0).integers(np.minimum(2, counts), counts, endpoint=True), counts.index)
    events = events[(events.groupby("case").cumcount() < seen.reindex(events.case).to_numpy()).to_numpy()]
    events = pd.DataFrame(
        {"key": events.case, "time": events.t_seconds, "event": events.activity + " " + events.lifecycle}
    )
    grouped = events.groupby("key")
    keys = np.array(list(grouped.groups))
    first, last = grouped.time.min(), grouped.time.max()
    gaps = events.time.diff().where(events.key == events.key.shift()).groupby(events.key)
    features = pd.DataFrame(
        {
            "key": keys,
            "amount": cases.amount_req.reindex(keys).to_numpy(),
            "events": grouped.size().to_numpy(),
            "hours": ((last - first) / 3600).to_numpy(),
            "largest_gap": gaps.max().to_numpy(),
            "median_gap": gaps.median().to_numpy(),
            "hour": (first % DAY / 3600).to_numpy(),
            "weekday": (first // DAY % 7).to_numpy(),
            "last_event": grouped.event.last().to_numpy(),
        }
    )
    truth = (cases.outcome == "declined") if label == "declined" else (cases.fraud_review == 1)
    return FraudSet(
        "bpi2012_loan",
        events,
        features,
        truth.reindex(keys).astype(int).to_numpy(),
        features.amount.to_numpy().astype(float),
        start.reindex(keys).to_numpy(),
    )


def fraud_handbook_sim(customers=1_700):
    """30-day windows of customers drawn by a seed. Fraud: a payment of the window is of scenario 1 or 3; a compromised
    terminal (scenario 2) shows in no customer's window."""
    table = pd.read_csv(os.path.join(DATA, "fraud_handbook_sim", "transactions.csv.gz"))
    drawn = np.random.default_rng(0).permutation(table.customer_id.unique())[:customers]
    table = table[table.customer_id.isin(drawn)].sort_values(["customer_id", "t_seconds"], kind="stable")
    known = table.groupby(["customer_id", "terminal_id"]).cumcount() > 0
    band = np.searchsorted([10, 25, 50, 100, 220], table.amount)
    window = (table.t_seconds // (30 * DAY)).astype(int)
    table["key"] = table.customer_id.astype(str) + "/" + window.astype(str)
    table["event"] = [f"{'known' if k else 'new'} terminal, band {b}" for k, b in zip(known, band)]
    table["new"], table["night"] = ~known, table.t_seconds % DAY < DAY / 4
    table["bad"] = table.fraud_scenario.isin([1, 3])
    grouped = table.groupby("key", sort=False)
    features = pd.DataFrame(
        {
            "payments": grouped.size(),
            "mean_amount": grouped.amount.mean(),
            "deviation": grouped.amount.std(),
            "median_amount": grouped.amount.median(),
            "new_terminals": grouped.new.mean(),
            "night_share": grouped.night.mean(),
            "terminals": grouped.terminal_id.nunique(),
        }
    ).reset_index()
    return FraudSet(
        "fraud_handbook_sim",
        table[["key", "t_seconds", "event"]].rename(columns={"t_seconds": "time"}),
        features,
        grouped.bad.max().astype(int).to_numpy(),
        grouped.amount.sum().to_numpy(),
        grouped.t_seconds.max().to_numpy(),
    )


def sample():
    folder = os.path.join(ROOT, "examples", "data")
    events = pd.read_csv(os.path.join(folder, "events.csv"))
    table = pd.read_csv(os.path.join(folder, "transactions.csv"))
    truth = pd.read_csv(os.path.join(folder, "truth.csv"))
    events = events.rename(columns={"transaction": "key", "seconds": "time"})
    labels, when = table.pop("label").to_numpy(), table.pop("time").to_numpy()
    features = table.rename(columns={"transaction": "key"})
    features = features.astype({"guest": bool, "ships_elsewhere": bool, "vpn": bool})
    return FraudSet("sample", events, features, truth.fraud.to_numpy(), features.amount.to_numpy(), when, labels)


SETS = {
    one.__name__: one
    for one in (amlsim_accounts, hdfs_sessions, wikipedia_bans, bpi2012_loan, fraud_handbook_sim, sample)
}
SETS |= {
    name: (lambda options=options, name=name: fraud_rings.planted(name=name, **options))
    for name, options in fraud_rings.PRESETS.items()
}
