"""Training: against PyTorch on the same weights where it is installed, and what the binding adds."""

import inspect
import json
import math
import struct

import covey
import numpy as np
import pytest
from covey import _structs

SMALL = dict(
    embedding_size=4, hidden_size=6, attention_size=4, dimension=5, epochs=3, batch_size=16, learning_rate=0.01
)


def sequences(count=60, seed=0):
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 20, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    events = int(offsets[-1])
    return covey.Sequences(
        offsets,
        random.choice(["home", "basket", "pay", None], events, p=[0.5, 0.3, 0.1, 0.1]),
        np.cumsum(random.exponential(10, events)),
        dwell=np.where(random.random(events) < 0.2, np.nan, random.exponential(3, events)),
        numeric={"amount": random.normal(100, 20, events)},
        categorical={"country": random.choice(["NL", "DE", "FR"], events)},
    )


def test_trains_with_what_the_sequences_have(tmp_path):
    batch = sequences()
    told = []
    encoder = covey.SequenceEncoder.train(batch, **SMALL, callback=told.append, seed=7)
    assert encoder.dimension == 5 and encoder.uses_dwell
    assert encoder.vocabulary.names == ["home", "basket", "pay"]  # the most frequent first
    assert encoder.numeric_names == ["amount"] and encoder.categorical_names == ["country"]
    assert sorted(encoder.categorical_vocabularies[0].names) == ["DE", "FR", "NL"]
    report = encoder.training
    assert len(report.epochs) == 3 and report.steps == told[-1].step and 0 < report.best_step <= report.steps
    assert [item.held_out_loss for item in told if not math.isnan(item.held_out_loss)] == [
        epoch.held_out_loss for epoch in report.epochs
    ]
    assert report.encoder is encoder
    embeddings = encoder.embed(batch)
    encoder.save(tmp_path / "model.safetensors")
    loaded = covey.SequenceEncoder.load(tmp_path / "model.safetensors")
    assert loaded.training is None and np.array_equal(loaded.embed(batch), embeddings)
    again = covey.SequenceEncoder.train(batch, **SMALL, seed=7, context=covey.Context(threads=1))
    assert np.array_equal(again.embed(batch), embeddings)
    other = covey.SequenceEncoder.train(batch, **SMALL, seed=8)
    assert not np.array_equal(other.embed(batch), embeddings)


@pytest.mark.parametrize("objectives", ["contrastive", {"masked_event": 1, "autoencoder": 0.5}])
def test_objectives(objectives):
    encoder = covey.SequenceEncoder.train(sequences(), objectives=objectives, **SMALL)
    assert np.isfinite(encoder.embed(sequences())).all()


def test_indices_get_numbers_as_names():
    batch = covey.Sequences([0, 3, 6], [1, 4, 2, 0, 9, -1], range(6), categorical=[[2, 1, 0, 0, -1, 1]])
    encoder = covey.SequenceEncoder.train(batch, **SMALL)
    assert encoder.vocabulary.names == [str(index) for index in range(1, 10)]
    assert encoder.categorical_vocabularies[0].names == ["1", "2"] and encoder.categorical_names == ["categorical 0"]
    given = covey.SequenceEncoder.train(
        batch,
        covey.Vocabulary(["a", "b"]),
        categorical_vocabularies={"categorical 0": covey.Vocabulary(["x"])},
        **SMALL,
    )
    assert given.vocabulary.names == ["a", "b"] and given.categorical_vocabularies[0].names == ["x"]


def test_stopped_training_keeps_the_best_and_goes_on(tmp_path):
    batch = sequences()
    expected = covey.SequenceEncoder.train(batch, **SMALL).embed(batch)
    with pytest.raises(covey.CancelledError) as stopped:
        covey.SequenceEncoder.train(
            batch,
            **SMALL,
            checkpoint=tmp_path / "state",
            callback=lambda told: told.epoch == 2 and told.held_out_loss > 0,
        )
    report = stopped.value.training
    assert len(report.epochs) == 2 and np.isfinite(report.encoder.embed(batch)).all()
    resumed = covey.SequenceEncoder.train(batch, **SMALL, checkpoint=tmp_path / "state")
    assert np.array_equal(resumed.embed(batch), expected)
    with pytest.raises(covey.MismatchError, match="other options"):
        covey.SequenceEncoder.train(batch, **{**SMALL, "hidden_size": 7}, checkpoint=tmp_path / "state")


def test_exceptions_of_the_callback_leave_the_call():
    def angry(told):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        covey.SequenceEncoder.train(sequences(), **SMALL, callback=angry)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"hidden_size": 0}, covey.InvalidArgumentError, "hidden_size must be 1 to 4096, got 0"),
        ({"layers": 2}, covey.InvalidArgumentError, "'layers' is not an option of training"),
        ({"objectives": "guess"}, covey.InvalidArgumentError, "got 'guess'"),
        ({"objectives": 3}, TypeError, "objectives must be a name or a mapping"),
        ({"objectives": {"contrastive": -1}}, covey.InvalidArgumentError, "contrastive must be"),
        ({"vocabulary": ["a"]}, TypeError, "vocabulary must be a covey.Vocabulary"),
        ({"categorical_vocabularies": {"city": covey.Vocabulary(["a"])}}, covey.MismatchError, "'city' is not among"),
        ({"callback": 3}, TypeError, "callback must be callable"),
        ({"learning_rate": 1e30, "warm_up": 0}, covey.InvalidDataError, "at step 2"),
        ({"context": covey.Context(memory_budget=10_000)}, MemoryError, "above the memory budget of 10000"),
    ],
)
def test_errors(options, error, message):
    with pytest.raises(error, match=message):
        covey.SequenceEncoder.train(sequences(), **{**SMALL, **options})


def test_options_are_named_with_the_headers_defaults():
    parameters = inspect.signature(covey.SequenceEncoder.train).parameters
    struct = _structs.TrainingOptions()
    named = {
        name: parameter.default
        for name, parameter in parameters.items()
        if hasattr(struct, name) and name not in ("progress",)
    }
    named.pop("categorical_vocabularies")
    assert len(named) == 22 and named == {name: getattr(struct, name) for name in named}


def test_one_step_is_pytorchs(tmp_path):
    """The weights before and after a step, from two state files, against PyTorch's AdamW on the same sequences."""
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(1)
    lengths = random.integers(2, 12, 10)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    batch = covey.Sequences(offsets, random.integers(0, 7, offsets[-1]), np.cumsum(random.exponential(5, offsets[-1])))
    options = dict(
        embedding_size=4, hidden_size=6, attention_size=4, epochs=2, batch_size=10, learning_rate=0.01,
        weight_decay=0.1,
        clip=0.5, warm_up=0, dropout=0, unknown=0, held_out=0, patience=0, objectives="next_event", checkpoint_steps=1,
    )  # fmt: skip
    states = []

    def keep(told):
        states.append(_read(tmp_path / "state"))

    covey.SequenceEncoder.train(batch, **options, checkpoint=tmp_path / "state", callback=keep)
    (before, scaling), (after, _) = states
    model = torch.nn.ModuleDict(
        {
            "event_embedding": torch.nn.Embedding(7, 4),
            "lstm": torch.nn.LSTM(6, 6, batch_first=True, bidirectional=True),
            "next": torch.nn.Linear(6, 8),
            "previous": torch.nn.Linear(6, 8),
        }
    )
    names = dict(model.named_parameters())
    for name, parameter in names.items():
        parameter.data = torch.tensor(before[f"weight.{name}"])
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for name, p in names.items() if "bias" not in name], "weight_decay": 0.1},
            {"params": [p for name, p in names.items() if "bias" in name], "weight_decay": 0},
        ],
        lr=0.005,  # half-way down the cosine
    )
    for name, parameter in names.items():
        optimiser.state[parameter] = {
            "step": torch.tensor(1.0),
            "exp_avg": torch.tensor(before[f"first_moment.{name}"]),
            "exp_avg_sq": torch.tensor(before[f"second_moment.{name}"]),
        }
    mean, deviation = scaling
    pairs, gaps = int((lengths - 1).sum()), int((lengths - 2).sum())
    loss = 0
    for start, end in zip(offsets[:-1], offsets[1:]):
        seconds = batch.times[start:end]
        times = np.stack([np.log1p(np.diff(seconds, prepend=seconds[0])), np.log1p(seconds[-1] - seconds)], 1)
        times = torch.tensor((times - mean) / deviation).float()
        types = torch.tensor(batch.types[start:end].astype(np.int64))
        states_ = model["lstm"](torch.cat([model["event_embedding"](types), times], 1)[None])[0][0]
        forward, backward = model["next"](states_[:-1, :6]), model["previous"](states_[1:, 6:])
        cross = torch.nn.functional.cross_entropy
        loss = loss + cross(forward[:, :-1], types[1:], reduction="sum") / pairs
        loss = loss + cross(backward[:, :-1], types[:-1], reduction="sum") / pairs
        huber = torch.nn.functional.smooth_l1_loss
        loss = loss + huber(forward[:-1, -1], times[1:-1, 0], reduction="sum") / gaps
        loss = loss + huber(backward[1:, -1], times[1:-1, 0], reduction="sum") / gaps
    loss.backward()
    torch.nn.utils.clip_grad_norm_(list(names.values()), 0.5)
    optimiser.step()
    for name, parameter in names.items():
        np.testing.assert_allclose(parameter.detach().numpy(), after[f"weight.{name}"], atol=2e-5, err_msg=name)


def _read(path):
    """The tensors of a state file, and the scaling of its time features."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    entry = json.loads(header.pop("__metadata__")["covey.encoder"])
    kinds = {"F32": np.float32, "F64": np.float64}
    tensors = {
        name: np.frombuffer(data[8 + size :][slice(*item["data_offsets"])], kinds[item["dtype"]]).reshape(item["shape"])
        for name, item in header.items()
    }
    return tensors, (entry["time_mean"], entry["time_deviation"])


def test_versions_are_shown(capsys):
    covey.show_versions()
    text = capsys.readouterr().out
    assert f"libcovey{' ' * 6}" in text and covey.library_version() in text and np.__version__ in text
