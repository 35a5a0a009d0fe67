"""Sequences, vocabulary and encoder; the network against its equations in covey.h, written out in NumPy."""

import datetime
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import covey
from support import write_random_encoder, write_safetensors

NAMES = ["home", "search", "cart", "pay", "naïve–事"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, tensors, suffix):
    w_in, w_h = tensors[f"lstm.weight_ih_l0{suffix}"], tensors[f"lstm.weight_hh_l0{suffix}"]
    bias = tensors[f"lstm.bias_ih_l0{suffix}"] + tensors[f"lstm.bias_hh_l0{suffix}"]
    hidden = w_h.shape[1]
    h, c, states = np.zeros(hidden), np.zeros(hidden), []
    for row in x:
        i, f, g, o = np.split(w_in @ row + w_h @ h + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def reference(tensors, types, times, gap, dwell=None, numeric=(), categorical=()):
    """Embedding and attention of one sequence in float64, as covey.h section 6 writes it."""
    tensors = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    order = np.argsort(times, kind="stable")
    times = np.asarray(times, dtype=float)[order]
    columns = [np.log1p(np.diff(times, prepend=times[0])), np.log1p(times[-1] - times)]
    tau = (np.stack(columns, 1) - gap[0]) / gap[1]
    if dwell is not None:
        extra = (np.log1p(np.asarray(dwell, float)[order]) - gap[0]) / gap[1]
        tau = np.column_stack([tau, np.nan_to_num(extra, nan=0.0)])
    parts = [tensors["event_embedding.weight"][np.asarray(types)[order]], tau]
    parts += [np.nan_to_num(np.asarray(column, float)[order], nan=0.0)[:, None] for column in numeric]
    parts += [
        tensors[f"categorical_embeddings.{index}.weight"][np.asarray(column)[order]]
        for index, column in enumerate(categorical)
    ]
    x = np.concatenate(parts, axis=1)
    states = np.concatenate([lstm(x, tensors, ""), lstm(x[::-1], tensors, "_reverse")[::-1]], axis=1)
    inner = states @ tensors["attention.hidden.weight"].T + tensors["attention.hidden.bias"]
    scores = np.tanh(inner + tau @ tensors["attention.time.weight"].T) @ tensors["attention.score.weight"][0]
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    given = np.empty_like(weights)
    given[order] = weights
    return weights @ states, given


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "reservoir.safetensors"
    return path, write_random_encoder(path, NAMES)


@pytest.fixture(scope="module")
def encoder(model):
    return covey.SequenceEncoder.load(model[0])


@pytest.fixture(scope="module")
def events():
    """300 sequences of 0 to 40 events, unsorted and with equal times."""
    random = np.random.default_rng(4)
    lengths = random.integers(0, 41, size=300)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    types = random.integers(0, len(NAMES) + 1, size=offsets[-1]).astype(np.int32)
    return offsets, types, np.round(random.uniform(0, 5000, size=offsets[-1]), -1)


def test_embedding_and_attention_follow_the_equations(model, encoder, events):
    offsets, types, times = events
    sequences = covey.Sequences(offsets, types, times)
    embeddings, attention = encoder.embed(sequences), encoder.attention(sequences)
    assert embeddings.dtype == np.float32 and embeddings.shape == (300, encoder.dimension) == (300, 48)
    assert len(attention) == 300
    for index in range(300):
        part = slice(offsets[index], offsets[index + 1])
        assert len(attention[index]) == offsets[index + 1] - offsets[index]
        if len(attention[index]) == 0:
            assert not embeddings[index].any()
            continue
        expected, weights = reference(model[1], types[part], times[part], (4.0, 2.5))
        np.testing.assert_allclose(embeddings[index], expected, atol=1e-5)
        np.testing.assert_allclose(attention[index], weights, atol=1e-5)
        assert abs(attention[index].sum() - 1) < 1e-5


def test_channels_and_dwell(tmp_path, events):
    offsets, types, times = events
    random = np.random.default_rng(9)
    path = tmp_path / "channels.safetensors"
    tensors = write_random_encoder(path, NAMES, dwell=True, numeric=["pressure"], categorical=[("page", ["a", "b"])])
    encoder = covey.SequenceEncoder.load(path)
    assert encoder.uses_dwell and encoder.numeric_names == ["pressure"] and encoder.categorical_names == ["page"]
    assert encoder.categorical_vocabularies[0].names == ["a", "b"]
    dwell = np.where(random.random(len(types)) < 0.2, np.nan, random.exponential(30, len(types)))
    pressure = np.where(random.random(len(types)) < 0.1, np.nan, random.normal(size=len(types)))
    page = np.array(["a", "b", "never", None], dtype=object)[random.integers(0, 4, len(types))]
    page_index = np.array([{"a": 1, "b": 2}.get(value, 0) for value in page])
    sequences = covey.Sequences(offsets, types, times, dwell, {"other": times, "pressure": pressure}, {"page": page})
    embeddings = encoder.embed(sequences)
    for index in (0, 7, 50, 299):
        part = slice(offsets[index], offsets[index + 1])
        if part.start < part.stop:
            expected, _ = reference(
                tensors, types[part], times[part], (4.0, 2.5), dwell[part], [pressure[part]], [page_index[part]]
            )
            np.testing.assert_allclose(embeddings[index], expected, atol=1e-5)
    by_place = covey.Sequences(offsets, types, times, dwell, pressure[:, None], [page_index])
    assert encoder.embed(by_place).tobytes() == embeddings.tobytes()
    for bad in (
        covey.Sequences(offsets, types, times),
        covey.Sequences(offsets, types, times, dwell, {"pressure": pressure}),
        covey.Sequences(offsets, types, times, dwell, {"other": pressure}, {"page": page}),
        covey.Sequences(offsets, types, times, None, {"pressure": pressure}, {"page": page}),
        covey.Sequences(offsets, types, times, dwell, np.column_stack([pressure, pressure]), {"page": page}),
    ):
        with pytest.raises(covey.MismatchError):
            encoder.embed(bad)


def test_strings_are_looked_up_in_the_models_vocabulary(encoder, events):
    offsets, types, times = events
    names = np.array(["never seen", *NAMES], dtype=object)[types]
    expected = encoder.embed(covey.Sequences(offsets, types, times)).tobytes()
    assert encoder.vocabulary.names == NAMES and len(encoder.vocabulary) == 6
    missing = names.copy()
    missing[types == 0] = None
    for same in (names, names.tolist(), names.astype(str), pd.Series(names), pd.Series(names, dtype="string"),
                 pd.Series(names, dtype="category"), missing, np.where(types == 0, -7, types)):  # fmt: skip
        assert encoder.embed(covey.Sequences(offsets, same, times)).tobytes() == expected


def test_same_bytes_in_any_batch_and_layout(encoder, events):
    offsets, types, times = events
    sequences = covey.Sequences(offsets, types, times)
    expected = encoder.embed(sequences)
    for threads in (1, 2, 5):
        assert encoder.embed(sequences, context=covey.Context(threads=threads)).tobytes() == expected.tobytes()
    assert encoder.embed(sequences[17:40]).tobytes() == expected[17:40].tobytes()
    assert (
        np.concatenate(encoder.attention(sequences[17:40])).tobytes()
        == np.concatenate(encoder.attention(sequences)[17:40]).tobytes()
    )
    assert encoder.embed(sequences[[5, 250, 5]]).tobytes() == expected[[5, 250, 5]].tobytes()
    mask = np.arange(300) % 7 == 0
    assert encoder.embed(sequences[mask]).tobytes() == expected[mask].tobytes()
    assert encoder.embed(sequences[::-3]).tobytes() == expected[::-3].tobytes()
    assert encoder.embed(sequences[[]]).shape == (0, 48) and encoder.attention(sequences[0:0]) == []
    records = np.zeros(len(types), dtype=[("type", np.int32), ("pad", np.int32), ("time", np.float64)])
    records["type"], records["time"] = types, times
    assert encoder.embed(covey.Sequences(offsets, records["type"], records["time"])).tobytes() == expected.tobytes()


def test_bfloat16_is_near_and_the_same_in_any_batch(encoder, events):
    sequences = covey.Sequences(*events)
    rounded = encoder.embed(sequences, precision="bfloat16")
    np.testing.assert_allclose(rounded, encoder.embed(sequences), atol=2e-3)
    assert encoder.embed(sequences[17:40], precision="bfloat16").tobytes() == rounded[17:40].tobytes()
    for weights, exact in zip(encoder.attention(sequences, precision="bfloat16"), encoder.attention(sequences)):
        np.testing.assert_allclose(weights, exact, atol=2e-3)
    with pytest.raises(covey.CoveyError, match="precision must be one of 'float32', 'bfloat16', got 'float16'"):
        encoder.embed(sequences, precision="float16")


def test_from_frame_groups_rows_stably(encoder):
    start = pd.Timestamp("2026-03-01 12:00:00")
    frame = pd.DataFrame(
        {
            "who": ["b", "a", "b", "c", "a", "b"],
            "when": [start + pd.Timedelta(seconds=s) for s in (5, 1, 2, 9, 1, 2)],
            "what": ["pay", "home", "search", "pay", "cart", "home"],
            "spent": pd.to_timedelta([1.5, 2, None, 4, 5, 6], unit="s"),
        }
    )
    sequences = covey.Sequences.from_frame(frame, sequence="who", time="when", event="what", dwell="spent")
    assert sequences.keys.tolist() == ["b", "a", "c"] and sequences.offsets.tolist() == [0, 3, 5, 6]
    assert sequences.types.tolist() == ["pay", "search", "home", "home", "cart", "pay"]
    assert (sequences.times - start.timestamp()).tolist() == [5, 2, 2, 1, 1, 9]
    np.testing.assert_array_equal(sequences.dwell, [1.5, np.nan, 6, 2, 5, 4])
    assert len(sequences) == 3 and sequences.event_count == 6 and sequences.lengths.tolist() == [3, 2, 1]
    seconds = frame.assign(when=[5.0, 1, 2, 9, 1, 2])
    expected = encoder.embed(covey.Sequences.from_frame(seconds, sequence="who", time="when", event="what"))
    zoned = frame.assign(when=frame.when.dt.tz_localize("Europe/Amsterdam"))
    plain = {name: list(frame[name]) for name in ("who", "what")} | {"when": seconds.when.to_numpy()}
    for same in (seconds, frame, zoned, plain, pa.Table.from_pandas(seconds[["who", "when", "what"]]),
                 seconds[["who", "when", "what"]].to_records(index=False)):  # fmt: skip
        result = covey.Sequences.from_frame(same, sequence="who", time="when", event="what")
        np.testing.assert_allclose(encoder.embed(result), expected, atol=1e-6)
    numbers = covey.Sequences.from_frame(
        seconds.assign(who=[9, 4, 9, 1, 4, 9]), sequence="who", time="when", event="what"
    )
    assert numbers.keys.tolist() == [9, 4, 1]


def test_from_frame_refuses(encoder):
    frame = pd.DataFrame({"who": [1.0, np.nan], "when": [1, 2], "what": ["a", "b"]})
    columns = {"sequence": "who", "time": "when", "event": "what"}
    with pytest.raises(covey.InvalidDataError, match="row 1"):
        covey.Sequences.from_frame(frame, **columns)
    with pytest.raises(covey.InvalidDataError, match="row 1"):
        covey.Sequences.from_frame(frame.assign(who=["x", None]), **columns)
    for role in columns:
        with pytest.raises(covey.CoveyError, match="nothing"):
            covey.Sequences.from_frame(frame.assign(who=[1, 1]), **{**columns, role: "nothing"})


@pytest.mark.parametrize(
    "arguments,code,field",
    [
        (([], [1], [1.0]), 1, "offsets"),
        (([0, 2, 1], [1, 1], [0.0, 1.0]), 2, "offsets"),
        (([0, 3], [1, 1], [0.0, 1.0]), 2, "offsets"),
        (([-1, 1], [1, 1], [0.0, 1.0]), 2, "offsets"),
        (([0, 1.5], [1, 1], [0.0, 1.0]), 2, "offsets"),
        ((["a"], [1], [0.0]), 1, "offsets"),
        (([0, 2], [1, 1], [0.0]), 3, "times"),
        (([0, 2], [1.5, 1], [0.0, 1.0]), 1, "types"),
        (([0, 2], [2**40, 1], [0.0, 1.0]), 2, "types"),
        (([0, 2], ["a", 3], [0.0, 1.0]), 1, "types"),
        (([0, 2], [1, 1], ["x", "y"]), 1, "times"),
        (([0, 2], [1, 1], [0.0, 1.0], [1.0]), 3, "dwell"),
        (([0, 2], [1, 1], [0.0, 1.0], None, {"n": [1.0]}), 3, "numeric"),
        (([0, 2], [1, 1], [0.0, 1.0], None, {3: [1.0, 2.0]}), 1, "numeric"),
        (([0, 2], [1, 1], [0.0, 1.0], None, 5.0), 1, "numeric"),
        (([0, 2], [[1, 1]], [0.0, 1.0]), 1, "types"),
    ],
)
def test_bad_batches(arguments, code, field):
    with pytest.raises(covey.CoveyError) as caught:
        covey.Sequences(*arguments)
    assert caught.value.code == code and field in str(caught.value)


@pytest.mark.parametrize(
    "field,bad", [("times", np.nan), ("times", np.inf), ("dwell", -1.0), ("dwell", np.inf), ("numeric", np.inf)]
)
def test_bad_numbers(tmp_path, field, bad):
    path = tmp_path / "model.safetensors"
    write_random_encoder(path, NAMES, dwell=True, numeric=["n"])
    encoder = covey.SequenceEncoder.load(path)
    values = {"times": [0.0, 1.0], "dwell": [0.0, 1.0], "numeric": [0.0, 1.0]}
    values[field][1] = bad
    batch = covey.Sequences([0, 2], [1, 1], values["times"], values["dwell"], [np.array(values["numeric"])])
    with pytest.raises(covey.InvalidDataError, match=field):
        encoder.embed(batch)
    with pytest.raises(covey.CoveyError):
        encoder.embed("events")


def test_models_are_saved_whole_or_not_at_all(tmp_path, model, encoder, events):
    copy = tmp_path / "copy.safetensors"
    encoder.save(copy)
    again = covey.SequenceEncoder.load(str(copy))
    sequences = covey.Sequences(*events)
    assert again.embed(sequences).tobytes() == encoder.embed(sequences).tobytes()
    with pytest.raises(covey.FileError) as caught:
        encoder.save(tmp_path / "absent" / "model.safetensors")
    assert caught.value.code == covey.StatusCode.IO and isinstance(caught.value, OSError)
    with pytest.raises(covey.FileError):
        covey.SequenceEncoder.load(tmp_path / "absent.safetensors")
    whole = model[0].read_bytes()
    for size in (0, 4, 8, 100, len(whole) // 2, len(whole) - 1):
        copy.write_bytes(whole[:size])
        with pytest.raises(covey.CorruptFileError):
            covey.SequenceEncoder.load(copy)
    for path in (3, None, "a\0b"):
        with pytest.raises(covey.CoveyError, match="path"):
            covey.SequenceEncoder.load(path)


def test_a_newer_format_is_unsupported(tmp_path, model):
    path = tmp_path / "newer.safetensors"
    write_safetensors(path, model[1], {"covey.encoder": json.dumps({"format_version": 2})})
    with pytest.raises(covey.UnsupportedError):
        covey.SequenceEncoder.load(path)


def test_borrowed_vocabularies_outlive_a_closed_encoder(model):
    encoder = covey.SequenceEncoder.load(model[0])
    vocabulary = encoder.vocabulary
    encoder.close()
    assert vocabulary.names == NAMES
    with pytest.raises(covey.CoveyError, match="closed"):
        encoder.dimension
    with covey.SequenceEncoder.load(model[0]) as inside:
        assert inside.dimension == 48
    assert inside.closed
    for broken in (covey.SequenceEncoder, covey.Engine):
        with pytest.raises(covey.CoveyError):
            broken()


def test_vocabulary():
    vocabulary = covey.Vocabulary.build(["b", "a", "b", "c", "a", "b", "z"], min_count=1, max_size=3)
    assert list(vocabulary) == ["", "b", "a", "c"] and vocabulary[0] == "" and len(vocabulary) == 4
    assert vocabulary.lookup(["a", "z", None, "b"]).tolist() == [2, 0, 0, 1]
    assert vocabulary.lookup(np.array([["a"], ["c"]])).tolist() == [[2], [3]]
    assert covey.Vocabulary(["x", "y"]).names == ["x", "y"] and len(covey.Vocabulary([])) == 1
    for bad in (["x", "x"], [""], "xy", [3], ["a\0"], ["\ud800"], None):
        with pytest.raises(covey.CoveyError) as caught:
            covey.Vocabulary(bad)
        assert caught.value.code == covey.StatusCode.INVALID_ARGUMENT
    for bad in ({"min_count": 0}, {"max_size": -1}, {"min_count": 1.5}):
        with pytest.raises(covey.CoveyError, match=next(iter(bad))):
            covey.Vocabulary.build(["a"], **bad)
    with pytest.raises(IndexError):
        vocabulary[4]


def test_datetimes_of_every_kind():
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=datetime.timezone.utc)
    expected = moment.timestamp()
    for times in (
        [moment],
        pd.Series([moment]),
        pd.DatetimeIndex([moment]),
        np.array(["2026-01-02T03:04:05.25"], dtype="M8[ms]"),
    ):
        assert covey.Sequences([0, 1], [1], times).times.tolist() == [expected]


def test_missing_types_and_keys():
    offsets, times = [0, 3], [0.0, 1.0, 2.0]
    for types in ([1, None, 2], [1.0, np.nan, 2.0], pd.array([1, None, 2], "Int64"), pa.array([1, None, 2])):
        assert covey.Sequences(offsets, types, times).types.tolist() == [1, -1, 2]
    for nothing in ([None] * 3, [np.nan] * 3, [pd.NA] * 3):
        assert covey.Sequences(offsets, nothing, times).types.tolist() == [-1] * 3
    assert covey.Sequences(offsets, pa.array(["a", None, "b"]), times).types.tolist() == ["a", None, "b"]
    durations = [datetime.timedelta(seconds=1), pd.Timedelta(2, "s"), pd.NaT]
    np.testing.assert_array_equal(covey.Sequences(offsets, [1] * 3, times, durations).dwell, [1, 2, np.nan])


def test_bad_names_in_from_frame():
    frame = {"s": [1, 1], "t": [0.0, 1.0], "e": ["a", "b"]}
    whole = {"sequence": "s", "time": "t", "event": "e"}
    assert len(covey.Sequences.from_frame(frame, **whole, numeric=None, categorical=None)) == 1
    for name, value in [
        ("sequence", ["s"]),
        ("numeric", 3),
        ("numeric", [["t"]]),
        ("categorical", {"zz"}),
        ("dwell", 5),
    ]:
        with pytest.raises(covey.InvalidArgumentError, match=name):
            covey.Sequences.from_frame(frame, **{**whole, name: value})
    with pytest.raises(covey.MismatchError, match="event"):
        covey.Sequences.from_frame({**frame, "e": ["a"]}, **whole)
    with pytest.raises(covey.InvalidDataError, match="row 1"):
        covey.Sequences.from_frame({**frame, "s": np.array(["2020-01-01", "NaT"], "M8[s]")}, **whole)
