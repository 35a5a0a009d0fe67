"""The two supervised models that embed_quality.py puts on embeddings, and how good they are on folds they have not
seen."""

import warnings

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

FOLDS = 5
TREES = [
    {"max_leaf_nodes": [15], "l2_regularization": [1], "min_samples_leaf": [20], "early_stopping": [True]},
    {"max_leaf_nodes": [6], "l2_regularization": [10], "min_samples_leaf": [40], "max_iter": [60]},
]
# A head is made for a seed and splits of the rows that it learns from, by which it takes its settings.
HEADS = {
    "logistic": lambda seed, splits: make_pipeline(
        StandardScaler(),
        LogisticRegressionCV(Cs=[0.001, 0.01, 0.1, 1], cv=splits, scoring="roc_auc", max_iter=200, tol=1e-3),
    ),
    "boosted": lambda seed, splits: GridSearchCV(
        HistGradientBoostingClassifier(
            learning_rate=0.1,
            max_iter=150,
            max_bins=64,
            max_features=0.2,
            early_stopping=False,
            n_iter_no_change=10,
            random_state=seed,
        ),
        TREES,
        cv=splits[:1],
        scoring="roc_auc",
    ),
}


def evaluate(x, label, group, seed):
    """{head: {"auroc": [one a fold], "ap": [...]}}; the sequences of a customer are in one fold, the folds are drawn by
    the seed. No scaling, stopping, choice of settings or fit sees the fold that is measured."""
    folds = list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(x, label, group))
    found = {}
    for name, make in HEADS.items():
        scores = []
        for seen, unseen in folds:
            splits = list(
                StratifiedGroupKFold(3, shuffle=True, random_state=seed).split(x[seen], label[seen], group[seen])
            )
            # One thread: two that wait for each other on a busy machine are slower.
            with warnings.catch_warnings(), threadpool_limits(1):
                warnings.simplefilter("ignore")
                model = make(seed, splits).fit(x[seen], label[seen])
            score = model.predict_proba(x[unseen])[:, 1]
            scores.append((roc_auc_score(label[unseen], score), average_precision_score(label[unseen], score)))
        found[name] = {"auroc": [float(one) for one, _ in scores], "ap": [float(one) for _, one in scores]}
    return found


def half(group, part, seed=0):
    """Which sequences are in the half of the customers on which defaults were chosen, or in the other, which checks
    them."""
    names = np.unique(group)
    chosen = np.random.default_rng(seed).permutation(names)[: len(names) // 2]
    inside = np.isin(group, chosen)
    return inside if part == "choice" else ~inside if part == "check" else np.ones(len(group), bool)
