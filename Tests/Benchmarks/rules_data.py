"""The table of the rules benchmark: three planted conjunctions of 2, 3 and 4 conditions in about 1 % of the rows, 5 %
label noise, 5 % missing values. Skewed amounts, hours of the day and normal scores, as in tables of transactions.
"""

import numpy as np

NOISE, MISSING = 0.05, 0.05
INF = float("inf")
HOLDOUT = 0.3

# (feature, share below the lower bound, share below the upper bound); of feature 1, an hour, the bounds themselves.
PLANTED = [
    [(0, 0.93, 1), (6, 0, 0.05)],
    [(3, 0.8, 1), (1, 8, 11), (7, 0, 0.13)],
    [(2, 0.75, 1), (10, 0, 0.25), (11, 0.3, 0.55), (4, 0, 0.2)],
]


def _column(index, rows, seed):
    random = np.random.default_rng([seed, index])
    if index % 4 == 1:
        return random.integers(0, 24, rows).astype(np.float64)
    values = random.standard_normal(rows)
    return np.exp(4 + values) if index % 4 == 0 else values


def _bounds(column, feature, low, high):
    if feature == 1:
        return float(low), float(high)
    return (np.quantile(column, low) if low > 0 else -INF), (np.quantile(column, high) if high < 1 else INF)


class Table:
    """`x` in column order with missing values, `y` noisy, `rules` as (feature, low, high) with low <= x < high."""

    def __init__(self, rows, columns=40, seed=0, rules=None):
        x = np.empty((rows, columns), order="F")
        for index in range(columns):
            x[:, index] = _column(index, rows, seed)
        self.rules = rules or [
            [(feature, *_bounds(x[:, feature], feature, low, high)) for feature, low, high in rule] for rule in PLANTED
        ]
        self.x = x
        truth = self.planted()
        random = np.random.default_rng([seed, columns])
        share = truth.sum()
        y = truth ^ (random.random(rows) < np.where(truth, NOISE, NOISE * share / max(1, rows - share)))
        for index in range(columns):
            x[np.random.default_rng([seed, columns + 1 + index]).random(rows) < MISSING, index] = np.nan
        self.y = y

    def planted(self, rows=slice(None)):
        """Where a planted rule holds; a missing value matches none."""
        x = self.x[rows]
        matched = np.zeros(len(x), dtype=bool)
        for rule in self.rules:
            one = np.ones(len(x), dtype=bool)
            for feature, low, high in rule:
                one &= (x[:, feature] >= low) & (x[:, feature] < high)
            matched |= one
        return matched

    @property
    def unseen(self):
        """The last rows, which no peer is fitted on."""
        rows = len(self.y)
        return slice(rows - round(HOLDOUT * rows), rows)

    @property
    def seen(self):
        return slice(0, self.unseen.start)


def shape(conditions):
    """Features and directions of a conjunction, given as (feature, has a lower bound, has an upper bound)."""
    merged = {}
    for feature, low, high in conditions:
        known = merged.get(feature, (False, False))
        merged[feature] = (known[0] or bool(low), known[1] or bool(high))
    return frozenset((feature, *sides) for feature, sides in merged.items())


def planted_shapes():
    return [
        shape((feature, feature == 1 or low > 0, feature == 1 or high < 1) for feature, low, high in rule)
        for rule in PLANTED
    ]


def f1(predicted, target):
    return 2 * float((predicted & target).sum()) / max(1, int(predicted.sum()) + int(target.sum()))
