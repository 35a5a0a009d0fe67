"""How good scores of held-out rows are, and sets of rows that were called risky."""

import numpy as np
from sklearn.metrics import average_precision_score


def ranking(truth, score, amount=None):
    """Average precision, and recall at 0.1 % and 1 % false alarms, in number and (`money`) in amounts."""
    found = {"AP": float(average_precision_score(truth, score))}
    order = np.argsort(-score, kind="stable")
    false = np.cumsum(truth[order] == 0)
    genuine = int((truth == 0).sum())
    for name, share in (("0.1 %", 0.001), ("1 %", 0.01)):
        # Ties are alerts together: only the end of a run of equal scores is a threshold.
        allowed = np.flatnonzero(false <= share * genuine)
        allowed = [i for i in allowed[::-1] if i + 1 == len(order) or score[order[i]] > score[order[i + 1]]][:1]
        alerts = order[: allowed[0] + 1] if allowed else order[:0]
        found[f"recall at {name}"] = float(truth[alerts].sum() / max(1, truth.sum()))
        if amount is not None:
            money = np.where(np.isfinite(amount), np.maximum(amount, 0), 0) * truth
            found[f"money at {name}"] = float(money[alerts].sum() / max(1e-12, money.sum()))
    return found


def chosen(truth, rows):
    """Precision and recall of a set of rows (booleans); no precision where there are none."""
    return {
        "rows": int(rows.sum()),
        "precision": float(truth[rows].mean()) if rows.any() else None,
        "recall": float(truth[rows].sum() / max(1, truth.sum())),
    }


def alerts(score, count):
    """The `count` rows that a score puts first, as booleans."""
    first = np.zeros(len(score), dtype=bool)
    first[np.argsort(-score, kind="stable")[:count]] = True
    return first


def added(truth, base, other, share=0.01):
    """The share that `other` alerts of the frauds that `base` misses, each with alerts on `share` of the rows."""
    count = max(1, round(share * len(truth)))
    missed = (truth == 1) & ~alerts(base, count)
    return float((missed & alerts(other, count)).sum() / max(1, missed.sum()))
