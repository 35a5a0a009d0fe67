"""A Dutch bank's loan applications (BPI Challenge 2012, real): declined as the label, known for the earlier half
only."""

import numpy as np
import pandas as pd
import pytest

from real_road import walk
from support import shared

# These say the outcome, or stand for the fraud review: a case is cut before the first of them (see NOTES.md of the
# data).
OUTCOMES = ["A_DECLINED", "A_CANCELLED", "A_APPROVED", "A_REGISTERED", "A_ACTIVATED", "O_ACCEPTED", "O_DECLINED",
            "W_Beoordelen fraude"]  # fmt: skip
CLUSTERED = ["amount", "hours_open"]  # beside the embeddings; the other features are for the rules
EVENTS = 6  # of each case, as the length of a case tells its outcome too


@pytest.fixture(scope="module")
def bank():
    folder = shared("bpi2012_loan")
    events, cases = pd.read_csv(folder / "events.csv.gz"), pd.read_csv(folder / "cases.csv.gz")
    events = events[events.activity.isin(OUTCOMES).groupby(events.case).cumsum() == 0]
    events = events.assign(event=events.activity + " " + events.lifecycle.str.lower())
    assert len(cases) == 13_087 and events.case.nunique() == 13_087
    return events, cases.set_index("case")


# An application that is declined at once has no further events, so that among all applications the early end alone says
# nearly everything; among those still open after six events only what happened can.
@pytest.mark.parametrize("population", ["all applications", "applications still open after 6 events"])
def test_bank_loans(bank, show, tmp_path, population):
    events, cases = bank
    if population != "all applications":
        lengths = events.groupby("case").size()
        events = events[events.case.isin(lengths.index[lengths >= EVENTS])]
    events = events[events.groupby("case").cumcount() < EVENTS]
    grouped = events.groupby("case", sort=False)
    first, last = grouped.t_seconds.first(), grouped.t_seconds.last()
    opened = pd.Timestamp("2011-09-30T22:38:44.546Z").tz_convert("Europe/Amsterdam") + pd.to_timedelta(first, unit="s")
    features = pd.DataFrame(
        {
            "amount": cases.amount_req.loc[first.index].astype(float),
            "hours_open": ((last - first) / 3600).round(2),
            "minutes_since_last_step": ((last - grouped.t_seconds.nth(-2).to_numpy()) / 60).round(1),
            "work_items": events.activity.str.startswith("W_").groupby(events.case, sort=False).sum().astype(float),
            "hour": (opened.dt.hour + opened.dt.minute / 60).round(1),
            "weekday": opened.dt.day_name(),
            "by_a_person": grouped.resource.nunique() > 1,
        }
    ).reset_index(drop=True)
    outcome = (cases.outcome.loc[first.index] == "declined").to_numpy()
    seconds = first.to_numpy()
    everyone = population == "all applications"
    figures = walk(
        show,
        tmp_path,
        events,
        {"sequence": "case", "time": "t_seconds", "event": "event"},
        features,
        outcome,
        seconds > np.quantile(seconds, 0.5),
        name=f"bank loans, {population}, declined",
        gap=(4.0, 3.0),
        hybrid={
            "feature_weight": 0.5,
            "clip": 3.0,
            "column_weights": {name: float(name in CLUSTERED) for name in features},
        },
        clustering={"min_cluster_size": 60, "min_samples": 5, "cluster_selection_method": "leaf"},
        # The base rates are 57% and 28%: twice their odds are shares of 72% and 43%.
        min_lift=2,
        rules={},
        seconds=seconds,
    )
    assert figures["risk"].risky
    assert figures["held"] / figures["base"] > (1.5 if everyone else 1.8)
    assert any(len(rules) for rules in figures["rules"].values())
