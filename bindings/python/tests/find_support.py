"""A small shop with a ring, for the tests of covey.find."""

import numpy as np
import pandas as pd
import pytest

import covey
from support import write_random_encoder

FAST = {"trees": 20, "permutations": 99}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("find") / "model.safetensors"
    write_random_encoder(path, ["home", "search", "cart", "photos", "login", "address", "pay"])
    return path


def shop(rows=600, ring=40, seed=5):
    """Events, features with half of the ring known, and which rows are the ring: it takes the same steps at a program's
    pace."""
    random = np.random.default_rng(seed)
    events, features = [], []
    for number in range(rows):
        bad = number % (rows // ring) == 0
        steps = (
            ["login", "address", "cart", "pay"]
            if bad
            else [*random.choice(["home", "search", "cart", "photos"], 6), "pay"]
        )
        clock, pace = number * 600.0, 2.0 if bad else float(random.exponential(60) + 5)
        for step in steps:
            events.append((f"t{number}", clock, step))
            clock += pace * random.uniform(0.9, 1.1)
        amount = random.normal(400, 20) if bad else random.lognormal(3, 1)
        account = "new" if bad or random.random() < 0.1 else "old"
        known = 1.0 if bad and number % 2 == 0 else np.nan
        features.append((f"t{number}", clock, amount, account, random.integers(0, 5), known, bad))
    table = pd.DataFrame(features, columns=["id", "when", "amount", "account", "visits", "label", "ring"])
    table = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    return pd.DataFrame(events, columns=["id", "time", "event"]), table.drop(columns="ring"), table.ring.to_numpy()


@pytest.fixture(scope="module")
def found(encoder):
    events, features, ring = shop()
    return (
        covey.find(events, features, "label", key="id", when="when", amount="amount", encoder=encoder, **FAST),
        events,
        features,
        ring,
    )


def same(one, other):
    assert one.scores.tolist() == other.scores.tolist() and one.row_groups.tolist() == other.row_groups.tolist()
    assert one.labels.tolist() == other.labels.tolist() and [rule.text for rule in one.rules] == [
        rule.text for rule in other.rules
    ]
