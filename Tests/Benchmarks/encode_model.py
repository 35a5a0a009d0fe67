"""The model and the sequences of encode.py: PyTorch's form, Covey's model file and an ONNX graph of the same weights.

Event embedding 32, two time features, Bi-LSTM 64 a direction, time attention, 128 numbers out; sequences of lognormal
length (median 30, 99th percentile 200, at most 256), 200 event types.
"""

import json
import struct

import numpy as np
import torch

TYPES, EMBEDDING, HIDDEN, ATTENTION = 200, 32, 64, 64
# Of the matrix products that remain once the event table is folded: two recurrent ones and the attention's.
OPERATIONS = 2 * (2 * HIDDEN * 4 * HIDDEN + 2 * HIDDEN * ATTENTION)


class Encoder(torch.nn.Module):
    """The model of covey.h, section 6, without projection."""

    def __init__(self):
        super().__init__()
        self.event_embedding = torch.nn.Embedding(TYPES + 1, EMBEDDING)
        self.lstm = torch.nn.LSTM(EMBEDDING + 2, HIDDEN, batch_first=True, bidirectional=True)
        self.attention = torch.nn.ModuleDict(
            {
                "hidden": torch.nn.Linear(2 * HIDDEN, ATTENTION),
                "time": torch.nn.Linear(2, ATTENTION, bias=False),
                "score": torch.nn.Linear(ATTENTION, 1, bias=False),
            }
        )

    def forward(self, types, features, lengths, packed: bool):
        x = torch.cat([self.event_embedding(types), features], dim=2)
        if packed:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            states, _ = torch.nn.utils.rnn.pad_packed_sequence(self.lstm(x)[0], batch_first=True)
        else:
            states, _ = self.lstm(x)
        scores = self.attention["score"](
            torch.tanh(self.attention["hidden"](states) + self.attention["time"](features[:, : states.shape[1]]))
        ).squeeze(2)
        if packed:
            mask = torch.arange(states.shape[1])[None, :] >= lengths[:, None]
            scores = scores.masked_fill(mask, float("-inf"))
        return (torch.softmax(scores, dim=1)[:, :, None] * states).sum(dim=1)


def make_model():
    torch.manual_seed(0)
    return Encoder().eval()


def make(count, seed=1):
    random = np.random.default_rng(seed)
    lengths = np.clip(np.exp(random.normal(np.log(30), 0.815, count)), 1, 256).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    types = random.integers(1, TYPES + 1, offsets[-1]).astype(np.int32)
    times = np.cumsum(random.exponential(20, offsets[-1]))
    return offsets, types, times


def one_sequence(events=30):
    random = np.random.default_rng(2)
    return (
        np.array([0, events]),
        random.integers(1, TYPES + 1, events).astype(np.int32),
        np.cumsum(random.exponential(20, events)),
    )


def time_features(offsets, times):
    """log1p of the gap and of the time to the end; mean 0 and deviation 1 stand in the checkpoint."""
    gaps = np.diff(times, prepend=times[0])
    gaps[offsets[:-1]] = 0
    ends = np.repeat(times[offsets[1:] - 1], np.diff(offsets))
    return np.log1p(np.stack([gaps, ends - times], axis=1)).astype(np.float32)


def save(model, path):
    """Covey's model file."""
    tensors = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    configuration = {
        "format_version": 1,
        "vocabulary": [f"event {index}" for index in range(TYPES)],
        "dwell": False,
        "time_mean": [0.0, 0.0],
        "time_deviation": [1.0, 1.0],
        "numeric": [],
        "categorical": [],
    }
    header, offset = {"__metadata__": {"covey.encoder": json.dumps(configuration)}}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(tensors[name].tobytes() for name in sorted(tensors)))


def to_onnx(model, path, padded):
    """The graph, step first. With `padded`, it has the sequences' lengths and what is added to the scores (0, or -1e9
    for a step that is no event) as inputs; otherwise all sequences of a batch are equally long."""
    from onnx import TensorProto, checker, helper, numpy_helper, save as save_onnx

    weights = {name: value.detach().numpy() for name, value in model.state_dict().items()}

    def gates(values):
        """ONNX has the gates as i, o, f, c."""
        i, f, g, o = np.split(values, 4)
        return np.concatenate([i, o, f, g])

    def directions(part):
        return np.stack([gates(weights[f"lstm.{part}_l0{suffix}"]) for suffix in ("", "_reverse")])

    constants = {
        "events": weights["event_embedding.weight"],
        "W": directions("weight_ih"),
        "R": directions("weight_hh"),
        "B": np.concatenate([directions("bias_ih"), directions("bias_hh")], axis=1),
        "hidden": np.ascontiguousarray(weights["attention.hidden.weight"].T),
        "bias": weights["attention.hidden.bias"],
        "time": np.ascontiguousarray(weights["attention.time.weight"].T),
        "score": np.ascontiguousarray(weights["attention.score.weight"].T),
        "shape": np.array([0, 0, 2 * HIDDEN]),
        "steps": np.array([0]),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["events", "types"], ["embedded"]),
        node("Concat", ["embedded", "features"], ["x"], axis=2),
        node(
            "LSTM",
            ["x", "W", "R", "B"] + (["lengths"] if padded else []),
            ["y"],
            hidden_size=HIDDEN,
            direction="bidirectional",
        ),
        node("Transpose", ["y"], ["y_together"], perm=[0, 2, 1, 3]),
        node("Reshape", ["y_together", "shape"], ["states"]),
        node("MatMul", ["states", "hidden"], ["from_states"]),
        node("Add", ["from_states", "bias"], ["biased"]),
        node("MatMul", ["features", "time"], ["from_time"]),
        node("Add", ["biased", "from_time"], ["sums"]),
        node("Tanh", ["sums"], ["squashed"]),
        node("MatMul", ["squashed", "score"], ["scores"]),
        *([node("Add", ["scores", "mask"], ["masked"])] if padded else []),
        node("Softmax", ["masked" if padded else "scores"], ["weights"], axis=0),
        node("Mul", ["weights", "states"], ["weighted"]),
        node("ReduceSum", ["weighted", "steps"], ["embedding"], keepdims=0),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("types", TensorProto.INT64, ["T", "N"]), value("features", TensorProto.FLOAT, ["T", "N", 2])]
    if padded:
        inputs += [value("lengths", TensorProto.INT32, ["N"]), value("mask", TensorProto.FLOAT, ["T", "N", 1])]
    graph = helper.make_graph(
        nodes,
        "encoder",
        inputs,
        [value("embedding", TensorProto.FLOAT, ["N", 2 * HIDDEN])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(whole)
    save_onnx(whole, path)


def batches(offsets, size, by_length, equal):
    """Rows of each batch: in the given order, sorted by length, or of equal length."""
    lengths = np.diff(offsets)
    order = np.argsort(lengths, kind="stable") if by_length else np.arange(len(lengths))
    parts = np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1) if equal else [order]
    return [part[start : start + size] for part in parts for start in range(0, len(part), size)]


def padded(offsets, types, features, rows):
    """types [rows][steps], features [rows][steps][2] and lengths of a batch."""
    lengths = np.diff(offsets)[rows]
    batch_types = np.zeros((len(rows), lengths.max()), dtype=np.int64)
    batch_features = np.zeros((len(rows), lengths.max(), 2), dtype=features.dtype)
    for place, row in enumerate(rows):
        span = slice(offsets[row], offsets[row + 1])
        batch_types[place, : lengths[place]] = types[span]
        batch_features[place, : lengths[place]] = features[span]
    return batch_types, batch_features, lengths
