"""What others make of the same rows and the same known frauds: scores of held-out rows, higher = more likely fraud.

Every peer sees features as a matrix (categories as codes by frequency, missing numbers as NaN) or hybrid rows (Covey's
embeddings beside scaled features), and y: 1 = known fraud, 0 = all the rest.
"""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.neighbors import NearestNeighbors
from sklearn.tree import DecisionTreeClassifier

NEAREST = 20
HDBSCAN_ROWS = 12_000  # beyond, hdbscan takes minutes


def raw(train, test):
    """Two matrices of features: what a forest reads."""
    columns = []
    for name in train.columns:
        if name == "key":
            continue
        a, b = train[name], test[name]
        if not (a.dtype == bool or pd.api.types.is_numeric_dtype(a)):
            codes = {value: code for code, value in enumerate(a.value_counts().index)}
            a, b = a.map(codes), b.map(codes)
        columns.append((a.astype(float).to_numpy(), b.astype(float).to_numpy()))
    return np.column_stack([a for a, _ in columns]), np.column_stack([b for _, b in columns])


def _filled(train, test):
    """Missing values far below all others: a bin of their own for trees."""
    low = np.nanmin(np.where(np.isfinite(train), train, np.nan), axis=0)
    low = np.where(np.isfinite(low), low, 0) - 1 - np.nanmax(np.abs(np.where(np.isfinite(train), train, 0)), axis=0)
    return np.where(np.isfinite(train), train, low), np.where(np.isfinite(test), test, low)


def random_forest(train, y, test, seed):
    train, test = _filled(train, test)
    model = RandomForestClassifier(300, random_state=seed, n_jobs=2).fit(train, y)
    return model.predict_proba(test)[:, 1]


def boosted_trees(train, y, test, seed):
    model = HistGradientBoostingClassifier(random_state=seed).fit(train, y)
    return model.decision_function(test)


def pu_forest(train, y, test, seed, trees=200):
    """Bagging for positives and unlabelled rows (Mordelet & Vert 2014): each tree has as many of the one as of the
    other."""
    train, test = _filled(train, test)
    random = np.random.default_rng(seed)
    known, rest = np.flatnonzero(y == 1), np.flatnonzero(y != 1)
    total = np.zeros(len(test))
    for _ in range(trees):
        rows = np.concatenate([random.choice(known, len(known)), random.choice(rest, min(len(known), len(rest)))])
        tree = DecisionTreeClassifier(max_features="sqrt", random_state=int(random.integers(2**31)))
        tree.fit(train[rows], y[rows])
        total += tree.predict_proba(test)[:, 1]
    return total / trees


def isolation_forest(train, y, test, seed):
    train, test = _filled(train, test)
    return -IsolationForest(random_state=seed).fit(train).score_samples(test)


def nearest(train, y, test, seed):
    """The share of known frauds among the nearest training rows, near ones counting more."""
    distance, index = NearestNeighbors(n_neighbors=min(NEAREST, len(train))).fit(train).kneighbors(test)
    weight = 1 / np.maximum(distance, 1e-9)
    return (weight * y[index]).sum(axis=1) / weight.sum(axis=1)


def hdbscan_shares(train, y, test, seed):
    """hdbscan at its defaults; a row's score is the share of known frauds of its cluster, by its strength."""
    import hdbscan

    if len(train) > HDBSCAN_ROWS:
        return None
    model = hdbscan.HDBSCAN(prediction_data=True).fit(train)
    labels, strength = hdbscan.approximate_predict(model, test)
    known = np.array([y[model.labels_ == cluster].mean() for cluster in range(model.labels_.max() + 1)] + [0.0])
    return strength * known[labels] + (1 - strength) * y.mean()


#: name: (method, the rows it sees)
PEERS = {
    "forest, features": (random_forest, "raw"),
    "forest, hybrid rows": (random_forest, "hybrid"),
    "boosted trees, features": (boosted_trees, "raw"),
    "boosted trees, hybrid rows": (boosted_trees, "hybrid"),
    "PU bagging forest, features": (pu_forest, "raw"),
    "nearest known, hybrid rows": (nearest, "hybrid"),
    "nearest known, features": (nearest, "scaled"),
    "hdbscan, features": (hdbscan_shares, "scaled"),
    "isolation forest, features": (isolation_forest, "raw"),
}
