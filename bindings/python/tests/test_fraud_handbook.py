"""The Fraud Detection Handbook's simulated card payments, by windows of a customer and 30 days."""

import numpy as np
import pandas as pd

from real_road import walk
from support import shared

CUSTOMERS = 1750  # of 4,990
WINDOW = 30 * 86400
BANDS = [10, 25, 50, 80, 120, 220]


def test_card_payments(show, tmp_path):
    payments = pd.read_csv(shared("fraud_handbook_sim", "transactions.csv.gz"))
    chosen = np.random.default_rng(7).choice(payments.customer_id.unique(), CUSTOMERS, replace=False)
    payments = payments[payments.customer_id.isin(chosen)]
    payments = payments.sort_values(["customer_id", "t_seconds"], kind="stable").reset_index(drop=True)
    # No merchant category: the event is the band of the amount, and whether the customer was at the terminal before.
    new = ~payments.duplicated(["customer_id", "terminal_id"])
    band = pd.Series(np.digitize(payments.amount, BANDS).astype(str), index=payments.index)
    payments["event"] = "amount " + band + np.where(new, " new", " known")
    payments["window"] = payments.customer_id.astype(str) + "/" + (payments.t_seconds // WINDOW).astype(str)
    payments["new"], payments["night"] = new, payments.t_seconds % 86400 < 6 * 3600
    grouped = payments.groupby("window", sort=False)
    median = grouped.amount.median()
    payments["high"] = payments.amount > 3 * payments.window.map(median)
    features = pd.DataFrame(
        {
            "largest_over_median": (grouped.amount.max() / median).round(2),
            "share_above_3_medians": grouped.high.mean().round(3),
            "largest": grouped.amount.max(),
            "median": median,
            "payments": grouped.size().astype(float),
            "new_terminals": grouped.new.mean().round(3),
            "at_night": grouped.night.mean().round(3),
        }
    ).reset_index(drop=True)
    outcome = grouped.fraud.max().to_numpy() == 1
    scenario3 = grouped.fraud_scenario.agg(lambda values: (values == 3).any()).to_numpy()
    seconds = grouped.t_seconds.first().to_numpy().astype(float)
    late = seconds >= 3 * WINDOW
    clustered = ["largest_over_median", "share_above_3_medians", "largest"]  # beside the embeddings
    figures = walk(
        show,
        tmp_path,
        payments,
        {"sequence": "window", "time": "t_seconds", "event": "event"},
        features,
        outcome,
        late,
        name="card payments, customer windows of 30 days, any fraud in them (published, simulated)",
        gap=(10.0, 2.0),
        hybrid={
            "embedding_weight": 0.6,
            "clip": 5.0,
            "column_weights": {name: float(name in clustered) for name in features},
        },
        clustering={"min_cluster_size": 15, "min_samples": 5},
        min_lift=2.0,
        rules={},
        seconds=seconds,
    )
    found = figures["risky"] & late
    show(
        f"  stolen cards (scenario 3): {scenario3[found].sum()} of {scenario3[late].sum()} held-out windows are in"
        " risky clusters (scenario 2, a terminal's, does not show in a customer's sequence)"
    )
    assert figures["held"] / figures["base"] > 3
    assert scenario3[found].sum() / scenario3[late].sum() > 0.3
    assert any(len(rules) for rules in figures["rules"].values())
