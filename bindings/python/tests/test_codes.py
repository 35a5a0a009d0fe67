"""Integers that are codes, and integers that are indices in a vocabulary."""

import numpy as np
import pandas as pd
import pytest

import covey
from support import write_random_encoder

COLUMNS = {"sequence": "id", "time": "when", "event": "what"}


def encoder(tmp_path, names):
    write_random_encoder(tmp_path / "model.safetensors", names)
    return covey.SequenceEncoder.load(tmp_path / "model.safetensors")


def frame(codes):
    return {"id": np.zeros(len(codes), dtype=int), "when": np.arange(float(len(codes))), "what": codes}


def test_codes_of_a_table_are_looked_up(tmp_path):
    model = encoder(tmp_path, ["10", "20", "30"])
    expected = model.embed(covey.Sequences.from_frame(frame(["10", "30", "never", "20", "0"]), **COLUMNS)).tobytes()
    for codes in (
        [10, 30, 99, 20, 0], np.array([10, 30, 99, 20, 0], dtype=np.int64), np.array([10.0, 30.0, 99.0, 20.0, 0]),
        pd.Series([10, 30, None, 20, 0]),
        pd.Series([10, 30, 99, 20, 0], dtype="category"), pd.Series([10, 30, None, 20, 0], dtype="Int64"),
        pd.Series([10.0, 30.0, None, 20.0, 0.0]).astype("category"),
    ):  # fmt: skip
        assert model.embed(covey.Sequences.from_frame(frame(codes), **COLUMNS)).tobytes() == expected
        assert model.embed(covey.Sequences([0, 5], codes, range(5))).tobytes() == expected
    # Indices, where they are said to be.
    for batch in (
        covey.Sequences([0, 5], [1, 3, 0, 2, -1], range(5)),
        covey.Sequences.from_frame(frame([1, 3, 0, 2, -1]), **COLUMNS, indices=True),
    ):
        assert model.embed(batch).tobytes() == expected


def test_what_could_be_both_is_refused(tmp_path):
    model = encoder(tmp_path, ["2", "1", "3"])  # the most frequent code first, as a vocabulary is made
    expected = model.embed(covey.Sequences([0, 3], ["1", "2", "3"], range(3))).tobytes()
    with pytest.raises(
        covey.InvalidDataError,
        match=(
            "types holds the integer 1, which is an index in the vocabulary .of '2'. and also a name there .of index 2."
        ),
    ):
        model.embed(covey.Sequences([0, 3], [1, 2, 3], range(3)))
    assert model.embed(covey.Sequences([0, 3], [1, 2, 3], range(3), indices=False)).tobytes() == expected
    assert model.embed(covey.Sequences.from_frame(frame([1, 2, 3]), **COLUMNS)).tobytes() == expected
    assert (
        model.embed(covey.Sequences([0, 3], model.vocabulary.lookup(["1", "2", "3"]), range(3), indices=True)).tobytes()
        == expected
    )


def test_codes_that_the_vocabulary_has_none_of(tmp_path):
    model = encoder(tmp_path, ["home", "pay"])
    with pytest.raises(
        covey.InvalidDataError, match=r"none of them is a name in the vocabulary, which has \['home', 'pay'\]"
    ):
        model.embed(covey.Sequences.from_frame(frame([10, 20]), **COLUMNS))
    assert model.embed(covey.Sequences.from_frame(frame([1, 2]), **COLUMNS, indices=True)).shape == (1, 48)
    assert model.embed(covey.Sequences([0, 2], [10, 20], [0, 1])).shape == (1, 48)  # indices that are unknown
    assert model.embed(covey.Sequences.from_frame(frame([None, None]), **COLUMNS)).shape == (1, 48)


def test_training_on_codes():
    small = dict(embedding_size=4, hidden_size=6, attention_size=4, dimension=5, epochs=1, batch_size=16)
    codes = np.random.default_rng(1).choice([7995, 5411, 12], 300, p=[0.6, 0.3, 0.1])
    table = {"id": np.repeat(np.arange(30), 10), "when": np.arange(300.0), "what": codes, "kind": codes}
    model = covey.SequenceEncoder.train(covey.Sequences.from_frame(table, **COLUMNS, categorical="kind"), **small)
    assert model.vocabulary.names == ["7995", "5411", "12"] == model.categorical_vocabularies[0].names
    strings = {**table, "what": codes.astype(str), "kind": codes.astype(float)}
    same = covey.Sequences.from_frame(strings, **COLUMNS, categorical="kind")
    batch = covey.Sequences.from_frame(table, **COLUMNS, categorical="kind")
    assert model.embed(batch).tobytes() == model.embed(same).tobytes()
    # An index of ten million among six events asks for no ten million names.
    sparse = covey.Sequences([0, 3, 6], [1, 10_000_000, 2, 1, 2, 3], range(6))
    model = covey.SequenceEncoder.train(sparse, **small)
    assert model.vocabulary.names == ["1", "2", "10000000", "3"]
    with pytest.raises(covey.InvalidDataError, match="holds the index 10000000 among 6 events"):
        covey.SequenceEncoder.train(
            covey.Sequences([0, 3, 6], [1, 10_000_000, 2, 1, 2, 3], range(6), indices=True), **small
        )
    with pytest.raises(covey.CoveyError, match="valid Unicode"):
        covey.SequenceEncoder.train(covey.Sequences([0, 2], ["a", "\ud800"], [0, 1]), **small)
