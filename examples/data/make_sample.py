#!/usr/bin/env python3
"""Writes the sample: a simulated online shop's click streams, transactions and, for checking alone, the truth.

    python3 make_sample.py [FOLDER]        (default: the folder of this script)

Nothing but Python's standard library, one seed, the same bytes on every run. README.md says what the columns mean;
shop.py makes customers, habits.py the legitimate ones and rings.py the others.

Every transaction is made by a *habit*: a function that writes the click stream and sets the features that differ from
an ordinary customer's. Most habits are legitimate. Six belong to rings of fraudsters, who work by a playbook, so that
their members resemble each other more than chance allows. For each ring there is a legitimate habit that does some of
the same things for good reasons: people forget passwords, give gift cards away and have their cards declined. Some
members of every ring leave its playbook in part, and some fraud has no ring.
"""

import csv
import math
import random
import sys
from pathlib import Path

from habits import HABITS
from rings import RINGS
from shop import COLUMNS, DECIMALS, TOGETHER, Transaction, count, pick

SEED = 20260105
TRANSACTIONS = 21_000
DAYS = 90  # The snapshot is taken at the end of the last day.
DAY = 86_400
DISPUTE_DAYS = 60  # A transaction this old without a chargeback counts as legitimate.
DISPUTED = 0.92  # The share of fraud that is ever charged back.
FALSE_CHARGEBACKS = 0.0004  # Legitimate transactions that are charged back all the same.
STRAY = 0.14  # The share of a ring's members that leave its playbook in part.
SLIP = 0.07  # How likely each group of features of the others is an ordinary customer's all the same.
LONE = 20  # Fraud without a ring.
LOOKALIKES = 120  # Legitimate transactions that take the steps of a ring, at a person's pace, for reasons of their own.


def moment(rng, first_day, last_day, night):
    """A time of a purchase: in the evening more often than in the morning; `night` of them from 0 to 6 o'clock."""
    day = rng.randint(first_day, last_day)
    if rng.random() < night:
        hour = rng.uniform(0, 6)
    else:
        hour = pick(rng, HOURS) + rng.random()
    return day * DAY + hour * 3600


HOURS = {
    0: 2,
    1: 1,
    2: 1,
    3: 1,
    4: 1,
    5: 1,
    6: 2,
    7: 4,
    8: 6,
    9: 8,
    10: 9,
    11: 9,
    12: 10,
    13: 9,
    14: 8,
    15: 8,
    16: 9,
    17: 9,
    18: 10,
    19: 13,
    20: 15,
    21: 14,
    22: 9,
    23: 5,
}


def legitimate(rng):
    transaction = Transaction(rng)
    pick(rng, HABITS)(transaction)
    transaction.pay(moment(rng, 0, DAYS - 1, night=0.0))
    f = transaction.features
    if f["email_age_days"] is not None and f["account_age_days"] is not None:
        f["email_age_days"] = max(f["email_age_days"], f["account_age_days"])
    return transaction


def follow(transaction, ring, slip):
    """Takes the steps of a ring; each group of features stays an ordinary customer's with probability `slip`."""
    ordinary = dict(transaction.features)
    ring.habit(transaction)
    for names in TOGETHER:
        if transaction.rng.random() < slip:
            transaction.features.update((name, ordinary[name]) for name in names)


def lookalike(rng):
    transaction = Transaction(rng)
    transaction.by_hand = True
    follow(transaction, rng.choice(RINGS), slip=0.35)
    transaction.pay(moment(rng, 0, DAYS - 1, night=0.0))
    return transaction


def ring_member(rng, ring):
    transaction = Transaction(rng)
    if rng.random() < STRAY:  # Looks around first, and takes half of the features from an ordinary customer.
        transaction.browse(1 + count(rng, 2, 8))
        follow(transaction, ring, slip=0.5)
    else:
        follow(transaction, ring, slip=SLIP)
    transaction.pay(moment(rng, *rng.choice(ring.bursts), ring.night))
    transaction.fraud, transaction.ring = True, ring.name
    return transaction


def lone_fraud(rng):
    transaction = legitimate(rng)
    transaction.fraud = True
    transaction.features["ip_risk"] = rng.betavariate(3, 4)
    transaction.features["amount"] *= rng.uniform(1, 4)
    return transaction


def label(rng, transaction):
    """What the shop knows at the snapshot: 1 charged back, 0 the dispute window is over, None nothing yet."""
    median = next((ring.chargeback_days for ring in RINGS if ring.name == transaction.ring), 40)
    if transaction.fraud:
        charged_back = rng.random() < DISPUTED
    else:
        charged_back = rng.random() < FALSE_CHARGEBACKS
    age = DAYS * DAY - transaction.time
    if charged_back and rng.lognormvariate(math.log(median), 0.6) * DAY <= age:
        return 1
    return 0 if age >= DISPUTE_DAYS * DAY else None


def make(rng):
    transactions = [ring_member(rng, ring) for ring in RINGS for _ in range(ring.size)]
    transactions += [lone_fraud(rng) for _ in range(LONE)]
    transactions += [lookalike(rng) for _ in range(LOOKALIKES)]
    transactions += [legitimate(rng) for _ in range(TRANSACTIONS - len(transactions))]
    transactions.sort(key=lambda t: t.time)
    return transactions


def number(value, decimals=0):
    """The shortest text of a number with at most so many decimals; empty where it is missing."""
    if value is None:
        return ""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell(name, value):
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else number(value, DECIMALS.get(name, 0))


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    transactions = make(rng)
    with (
        open(folder / "events.csv", "w", newline="") as events_file,
        open(folder / "transactions.csv", "w", newline="") as transactions_file,
        open(folder / "truth.csv", "w", newline="") as truth_file,
    ):
        events = csv.writer(events_file, lineterminator="\n")
        rows = csv.writer(transactions_file, lineterminator="\n")
        truth = csv.writer(truth_file, lineterminator="\n")
        events.writerow(("transaction", "seconds", "event", "dwell"))
        rows.writerow(("transaction", "time", *COLUMNS, "label"))
        truth.writerow(("transaction", "fraud", "ring"))
        for index, transaction in enumerate(transactions):
            for clock, event, dwell in transaction.events:
                events.writerow((index, number(transaction.start + clock, 1), event, number(dwell)))
            features = [cell(name, transaction.features[name]) for name in COLUMNS]
            rows.writerow((index, number(transaction.time, 1), *features, number(label(rng, transaction))))
            truth.writerow((index, int(transaction.fraud), transaction.ring))


if __name__ == "__main__":
    main()
