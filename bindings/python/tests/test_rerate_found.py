"""Engines of covey.find with late labels, against covey.find with the same labels."""

import numpy as np
import pandas as pd
import pytest

import covey
from support import write_random_encoder

ROWS = 360


def transactions(seed):
    random = np.random.default_rng(seed)
    ring = np.arange(ROWS) % 9 == 0
    frame = pd.DataFrame(
        {
            "id": [f"t{row}" for row in range(ROWS)],
            "amount": random.normal(np.where(ring, 480, 90), np.where(ring, 4, 40)),
            "country": np.where(ring, "NL", random.choice(["NL", "DE", "FR"], ROWS)),
            "guest": ring | (random.random(ROWS) < 0.4),
        }
    )
    clicks = [
        (f"t{row}", 10.0 * place + random.random(), name)
        for row in range(ROWS)
        for place, name in enumerate(
            ["home", "pay"] if ring[row] else random.choice(["home", "search", "cart", "pay"], 4)
        )
    ]
    return frame, pd.DataFrame(clicks, columns=["id", "time", "event"]), ring


def found(frame, events, labels, encoder):
    known = {} if encoder is None else {"key": "id", "time": "time", "event": "event", "encoder": encoder}
    features = frame if encoder is not None else frame.drop(columns="id")
    return covey.find(None if encoder is None else events, features, labels, trees=20, permutations=99, **known)


def figures(engine, frame, events):
    scores = engine.score(events, frame)
    return [(score.risk, score.risky, score.group, score.evidence) for score in scores]


@pytest.mark.parametrize("with_events", [False, True])
def test_new_labels_give_the_evidence_of_a_new_call(tmp_path, with_events):
    frame, events, ring = transactions(1)
    encoder = None
    if with_events:
        write_random_encoder(tmp_path / "model.safetensors", ["home", "search", "cart", "pay"])
        encoder = covey.SequenceEncoder.load(tmp_path / "model.safetensors")
    random = np.random.default_rng(2)
    few = np.where(ring & (random.random(ROWS) < 0.3), 1, -1)
    many = np.where(random.random(ROWS) < 0.7, ring.astype(int), -1)
    first = found(frame, events, few, encoder)
    again = found(frame, events, many, encoder)
    given = (events, frame) if with_events else (None, frame.drop(columns="id"))

    def same(left, right):
        return figures(left, given[1], given[0]) == figures(right, given[1], given[0])

    assert not same(first.engine, again.engine)
    rated = first.engine.rerate(many)
    assert same(rated, again.engine)
    # From a file as well, and back to where it was.
    first.engine.save(tmp_path / "first.engine")
    loaded = covey.Engine.load(tmp_path / "first.engine")
    assert same(loaded.rerate(many), again.engine)
    assert same(rated.rerate(few), first.engine)
    assert covey.Engine.from_bytes(rated.to_bytes()).hash == rated.hash
    for wrong in (np.zeros(ROWS, dtype=int), np.ones(ROWS, dtype=int), np.full(ROWS, -1)):
        with pytest.raises(covey.InvalidDataError):
            first.engine.rerate(wrong)
