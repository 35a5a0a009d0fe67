"""A table with planted rules, and conditions read by hand."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

import covey
from covey import ConditionKind


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(11)
    n = 8000
    return pd.DataFrame(
        {
            "amount": np.where(random.random(n) < 0.05, np.nan, np.round(random.lognormal(4, 1, n), 2)),
            "age": random.integers(0, 2000, n),
            "country": np.array(["NL", "DE", "FR", "Zürich's", None], dtype=object)[random.integers(0, 5, n)],
            "vpn": pd.array(np.where(random.random(n) < 0.1, None, random.random(n) < 0.3), dtype="boolean"),
        }
    )


@pytest.fixture(scope="module")
def target(frame):
    planted = (frame.amount >= 200) & (frame.country == "NL") & (frame.age < 300)
    planted |= frame.vpn.fillna(False).astype(bool) & frame.amount.isna()
    return (planted | (np.random.default_rng(1).random(len(frame)) < 0.002)).to_numpy()


@pytest.fixture(scope="module")
def rules(frame, target):
    return covey.extract_rules(frame, target, times=np.arange(len(frame)), target_name="ring 7")


def matches(condition, frame):
    """A condition by the words of covey.h."""
    values = frame[condition.feature]
    missing = values.isna().to_numpy()
    if condition.kind == ConditionKind.INTERVAL:
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return (numbers >= condition.low) & (numbers < condition.high)
    if condition.kind in (ConditionKind.IN, ConditionKind.NOT_IN):
        inside = values.isin(condition.categories).to_numpy()
        return inside if condition.kind == ConditionKind.IN else ~inside & ~missing
    if condition.kind in (ConditionKind.TRUE, ConditionKind.FALSE):
        return (values == (condition.kind == ConditionKind.TRUE)).fillna(False).to_numpy(dtype=bool)
    return missing if condition.kind == ConditionKind.MISSING else ~missing


def database(frame, table):
    """The rows in SQLite, in columns without a type, so that nothing is converted."""
    base = sqlite3.connect(":memory:")
    base.execute(f"CREATE TABLE {table} (row, {', '.join(frame)})")
    values = [[None if pd.isna(item) else item for item in frame[name].astype(object)] for name in frame]
    base.executemany(f"INSERT INTO {table} VALUES (?{', ?' * len(values)})", zip(range(len(frame)), *values))
    return base
