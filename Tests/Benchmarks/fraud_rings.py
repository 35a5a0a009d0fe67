"""Planted rings: legitimate customers of many habits, and rings of fraudsters who share a script.

A habit is a Markov chain over event types with its own pace; a ring's script is a chain of its own. A ring's member
departs from the script towards an ordinary habit by `overlap` (0: never; 1: the ring cannot be told). Features follow
the habit; `help` says how far a ring's features lie from those of its members' cover habits, in standard deviations;
three columns are noise, one has missing values, one is a category. Labels come late: `known` is the share of all fraud
that is known, and with `late` the recent frauds are known less often.
"""

import numpy as np
import pandas as pd

EVENTS = [f"e{i:02d}" for i in range(24)]
PRESETS = {
    "rings_plain": dict(rows=100_000, sizes=(10, 20, 50, 100, 200, 500), overlap=0.15, help=1.5, known=0.3, seed=1),
    "rings_overlap": dict(rows=100_000, sizes=(20, 50, 100, 200, 500), overlap=0.5, help=0.7, known=0.3, seed=2),
    "rings_events": dict(rows=100_000, sizes=(10, 20, 50, 100, 200, 500), overlap=0.2, help=0.0, known=0.1, seed=3),
    "rings_few": dict(rows=100_000, sizes=(100, 200, 300, 500), overlap=0.2, help=1.0, known=0.02, seed=4),
    "rings_late": dict(rows=100_000, sizes=(30,) * 12, overlap=0.3, help=1.0, known=0.3, late=True, seed=5),
}


def planted(
    name="rings",
    rows=100_000,
    sizes=(10, 50, 200, 500),
    overlap=0.2,
    help=1.0,
    known=0.3,
    late=False,
    habits=12,
    length=12,
    seed=0,
):
    """A FraudSet with `rows` transactions of which sum(sizes) are in rings and a tenth as many are lone frauds."""
    from fraud_sets import FraudSet

    random = np.random.default_rng(seed)
    lone = max(1, sum(sizes) // 10)
    honest = rows - sum(sizes) - lone
    if honest < 1:
        raise ValueError("the rings have more rows than there are")
    chains = random.dirichlet(np.full(len(EVENTS), 0.25), size=(habits, len(EVENTS)))
    paces = random.normal(2.0, 0.7, habits)
    centres = random.normal(0, 1, (habits, 6))
    share = random.dirichlet(np.full(habits, 2.0))
    scripts = random.dirichlet(np.full(len(EVENTS), 0.15), size=(len(sizes), len(EVENTS)))
    script_paces = random.normal(1.5, 0.7, len(sizes))
    ring = np.concatenate([np.full(honest + lone, -1)] + [np.full(size, r) for r, size in enumerate(sizes)])
    truth = np.zeros(rows, np.int64)
    truth[honest:] = 1
    order = random.permutation(rows)
    ring, truth = ring[order], truth[order]
    habit = random.choice(habits, rows, p=share)
    cover = random.choice(habits, len(sizes), p=share)
    in_ring = ring >= 0
    habit[in_ring] = cover[ring[in_ring]]  # who hides hides among the ring's own kind of customer

    lengths = np.clip(random.poisson(length, rows), 2, 60)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    own = np.repeat(np.arange(rows), lengths)
    table = np.concatenate([chains, scripts])
    cumulative = np.cumsum(table, axis=2)
    state = random.integers(0, len(EVENTS), rows)
    event = np.empty(offsets[-1], np.int64)
    gap = np.empty(offsets[-1])
    pace = np.concatenate([paces, script_paces])
    for step in range(lengths.max()):
        live = np.flatnonzero(lengths > step)
        scripted = in_ring[live] & (random.random(len(live)) >= overlap)
        chain = np.where(scripted, habits + ring[live], habit[live])
        draw = random.random(len(live))
        rowwise = cumulative[chain, state[live]]
        state[live] = np.minimum((rowwise < draw[:, None]).sum(axis=1), len(EVENTS) - 1)
        event[offsets[live] + step] = state[live]
        gap[offsets[live] + step] = np.exp(pace[chain] + random.normal(0, 0.6, len(live)))
    when = np.sort(random.random(rows)) * 90 * 86_400
    elapsed = np.cumsum(gap)
    end = elapsed[offsets[1:] - 1]
    times = when[own] - (end[own] - elapsed)

    columns = centres[habit] + random.normal(0, 1, (rows, 6))
    shift = random.normal(0, 1, (len(sizes), 6))
    shift *= help * np.sqrt(6) / np.linalg.norm(shift, axis=1, keepdims=True)
    follows = in_ring & (random.random(rows) >= overlap)
    columns[follows] += shift[ring[follows]]
    columns[:, 0] = np.round(np.exp(3 + 0.8 * columns[:, 0]), 2)  # skewed, as amounts are
    columns[:, 1] = np.round(np.exp(columns[:, 1]))  # a count
    columns[random.random(rows) < 0.2, 4] = np.nan
    features = pd.DataFrame(columns, columns=["amount", "count", "age", "score", "distance", "speed"])
    for i in range(3):
        features[f"noise_{i}"] = random.normal(size=rows)
    features["kind"] = [
        f"k{k % 5}" for k in np.where(random.random(rows) < 0.7, habit, random.integers(0, habits, rows))
    ]
    features.insert(0, "key", [f"t{i}" for i in range(rows)])
    events = pd.DataFrame({"key": features.key.to_numpy()[own], "time": times, "event": np.array(EVENTS)[event]})
    chance = np.full(rows, known)
    if late:
        age = 1 - when / when.max()
        chance = np.minimum(1, 2 * known * age)
    labels = np.where((truth == 1) & (random.random(rows) < chance), 1.0, np.nan)
    return FraudSet(name, events, features, truth, features.amount.to_numpy(), when, labels)
