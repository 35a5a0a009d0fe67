"""Sessions whose events come one at a time, against the scores of whole sequences."""

import threading

import numpy as np
import pytest
from road import Road

import covey


@pytest.fixture(scope="module")
def road():
    return Road()


def fill(session, sequences, row, last=None):
    places = range(*sequences.offsets[row : row + 2])
    for place in places if last is None else list(places)[-last:]:
        event = sequences.types[place]
        session.add(event, sequences.times[place], sequences.dwell[place])


def test_a_session_is_what_a_full_run_gives(road):
    engine, sequences = road.engine, road.sequences
    session = covey.Session(engine)
    for row in range(100):
        session.reset()
        assert len(session) == 0 and not session.embedding().any()
        fill(session, sequences, row)
        features = road.features.iloc[row : row + 1]
        assert session.embedding().tobytes() == road.embeddings[row].tobytes()
        expected = engine.score(sequences[row : row + 1], features)[0]
        assert session.score(features) == expected
        assert session.score(features.iloc[0].to_dict()) == expected
        again = covey.Session.from_bytes(engine, session.to_bytes())
        assert again.score(features) == expected and again.total == session.total == sequences.lengths[row]


def test_the_last_events_count(road):
    lengths = road.sequences.lengths
    for row in np.flatnonzero(lengths > 6)[:20]:
        session = covey.Session(road.engine, largest_events=5)
        fill(session, road.sequences, row)
        whole = covey.Session(road.engine)
        fill(whole, road.sequences, row, last=5)
        assert session.embedding().tobytes() == whole.embedding().tobytes()
        assert (len(session), session.largest_events, session.total, session.unknown) == (5, 5, lengths[row], 0)


def test_unknown_events_are_counted(road):
    session = covey.Session(road.engine)
    known = road.encoder.vocabulary[1]
    for event in (known, 1, known.upper() + "?", None, 0, -7, 10**6, float("nan")):
        session.add(event, 1.0)
    assert (session.total, session.unknown) == (8, 6)
    session.reset()
    assert (session.total, session.unknown) == (0, 0)


def test_what_is_wrong_is_refused_and_changes_nothing(road):
    session = covey.Session(road.engine, 10)
    session.add("view", 0.0)
    before = session.to_bytes()
    for wrong, error in (
        (("view", np.nan), covey.InvalidDataError),
        (("view", 0.0, -1.0), covey.InvalidDataError),
        ((1.5, 0.0), covey.CoveyError),
        (("view", "soon"), covey.CoveyError),
        ((b"view", 0.0), covey.CoveyError),
    ):
        with pytest.raises(error):
            session.add(*wrong)
    with pytest.raises(covey.InvalidArgumentError, match="numeric"):
        session.add("view", 0.0, numeric={"speed": 1.0})
    with pytest.raises(TypeError):
        session.add("view", 0.0, categorical=[1])
    assert session.to_bytes() == before
    for wrong in (b"", before[:-1], bytes(len(before)), b"x" + before[1:]):
        with pytest.raises(covey.CorruptFileError):
            covey.Session.from_bytes(road.engine, wrong)
    other = bytearray(before)
    other[8] ^= 1
    with pytest.raises(covey.MismatchError):
        covey.Session.from_bytes(road.engine, other)
    for events in (0, -1, 1 << 25):
        with pytest.raises(covey.InvalidArgumentError, match="largest_events"):
            covey.Session(road.engine, events)
    with pytest.raises(TypeError):
        covey.Session.from_bytes(road.engine, "text")
    with pytest.raises(TypeError):
        covey.Session(road)


def test_an_engine_without_an_encoder_has_none(road):
    frame = road.features[["amount", "items"]]
    hybrid = covey.HybridFeatures()
    clusterer = covey.HDBSCAN(min_cluster_size=20, prediction_data=True)
    labels = clusterer.fit_predict(hybrid.fit_transform(features=frame))
    risk = covey.cluster_risk(labels, road.transactions.label)
    with pytest.raises(covey.MismatchError):
        covey.Session(covey.Engine.build(hybrid=hybrid, clustering=clusterer, risk=risk))


def test_channels_by_name():
    random = np.random.default_rng(0)
    lengths = random.integers(1, 6, 60)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    n = int(offsets[-1])
    speed, city = random.normal(size=n), random.choice(["Utrecht", "Delft"], n)
    events, times = random.choice(["view", "pay"], n), random.random(n) * 60
    sequences = covey.Sequences(offsets, events, times, numeric={"speed": speed}, categorical={"city": city})
    encoder = covey.SequenceEncoder.train(
        sequences, epochs=1, embedding_size=2, hidden_size=2, attention_size=2, dimension=3
    )
    rows = encoder.embed(sequences)
    hybrid = covey.HybridFeatures()
    clusterer = covey.HDBSCAN(min_cluster_size=5, prediction_data=True)
    labels = clusterer.fit_predict(hybrid.fit_transform(rows))
    risk = covey.cluster_risk(labels, np.arange(60) % 2)
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
    for row in range(60):
        session = covey.Session(engine, 10)
        for place in range(offsets[row], offsets[row + 1]):
            session.add(events[place], times[place], numeric={"speed": speed[place]}, categorical={"city": city[place]})
        assert session.embedding().tobytes() == rows[row].tobytes()
        assert session.score() == engine.score(sequences[row : row + 1])[0]


def test_threads_share_a_session(road):
    session = covey.Session(road.engine, 100)
    threads = [threading.Thread(target=lambda: [session.add("view", float(i)) for i in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (session.total, len(session)) == (800, 100)
