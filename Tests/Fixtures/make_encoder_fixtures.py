#!/usr/bin/env python3
"""Makes the encoder's fixtures with PyTorch: models, inputs, and the embeddings and attention weights that PyTorch
gives.

    python3 make_encoder_fixtures.py          (PyTorch 1.13 or later; writes encoder/*.safetensors beside this script)

For each case NAME.model.safetensors is the model and NAME.data.safetensors holds the input columns (offsets, types,
times, dwell, numeric.0, ..., categorical.0, ...) and what is expected (embeddings, attention).
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from encoder_model import Attention, write_safetensors

FOLDER = Path(__file__).parent / "encoder"


class Model(nn.Module):
    def __init__(self, case):
        super().__init__()
        times = 3 if case["dwell"] else 2
        width = case["embedding"] + times + len(case["numeric"]) + sum(size for _, size in case["categorical"])
        self.event_embedding = nn.Embedding(case["types"] + 1, case["embedding"])
        self.categorical_embeddings = nn.ModuleList(nn.Embedding(n + 1, size) for n, size in case["categorical"])
        self.lstm = nn.LSTM(width, case["hidden"], case["layers"], batch_first=True, bidirectional=True)
        self.attention = Attention(2 * case["hidden"], times, case["attention"])
        if case["dimension"]:
            self.projection = nn.Linear(2 * case["hidden"], case["dimension"])

    def forward(self, types, times, numeric, categories):
        """One sequence, in the order of time: types [T], times [T, 2 or 3], numeric [T, n], categories: a list of
        [T]."""
        columns = [self.event_embedding(types), times, numeric]
        columns += [embed(codes) for embed, codes in zip(self.categorical_embeddings, categories)]
        states = self.lstm(torch.cat(columns, dim=1).unsqueeze(0))[0][0]
        scores = self.attention.score(torch.tanh(self.attention.hidden(states) + self.attention.time(times)))
        weights = torch.softmax(scores[:, 0], dim=0)
        pooled = weights @ states
        return (self.projection(pooled) if hasattr(self, "projection") else pooled), weights


def known(codes, entries):
    """Indices outside of a vocabulary count as the unknown entry."""
    return torch.from_numpy(np.where((codes >= 0) & (codes < entries), codes, 0).astype(np.int64))


def make(
    name,
    seed,
    lengths,
    unsorted,
    types=12,
    embedding=4,
    hidden=5,
    layers=1,
    attention=3,
    dimension=0,
    dwell=False,
    numeric=(),
    categorical=(),
    gain=1.0,
):
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    case = dict(
        types=types,
        embedding=embedding,
        hidden=hidden,
        layers=layers,
        attention=attention,
        dimension=dimension,
        dwell=dwell,
        numeric=numeric,
        categorical=categorical,
    )
    model = Model(case).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(gain)
    configuration = {
        "format_version": 1,
        "vocabulary": [f"event {i}" if i % 5 else f"Ereignis ä{i}" for i in range(1, types + 1)],
        "time_mean": [2.5, 5.0, 1.25][: 3 if dwell else 2],
        "time_deviation": [1.75, 3.0, 0.8][: 3 if dwell else 2],
        "dwell": dwell,
        "numeric": [
            {"name": f"number {i}", "mean": mean, "deviation": deviation} for i, (mean, deviation) in enumerate(numeric)
        ],
        "categorical": [
            {"name": f"category {i}", "vocabulary": [f"c{j}" for j in range(n)]} for i, (n, _) in enumerate(categorical)
        ],
    }
    skipped = 3  # events before the first sequence
    offsets = skipped + np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    events = int(offsets[-1])
    columns = {
        "offsets": offsets,
        "types": random.integers(-1, types + 3, events).astype(np.int32),
        "times": 1.6e9 + np.round(np.cumsum(random.lognormal(1, 2, events)), 3),
    }
    equal = 1 + np.flatnonzero(random.random(events - 1) < 0.2)
    columns["times"][equal] = columns["times"][equal - 1]
    for start, end in zip(offsets[:-1], offsets[1:]):
        if random.random() < unsorted:
            random.shuffle(columns["times"][start:end])
    if dwell:
        columns["dwell"] = random.exponential(4, events)
        columns["dwell"][random.random(events) < 0.3] = np.nan
    for i, (mean, deviation) in enumerate(numeric):
        columns[f"numeric.{i}"] = random.normal(mean, deviation, events)
        columns[f"numeric.{i}"][random.random(events) < 0.2] = np.nan
    for i, (n, _) in enumerate(categorical):
        columns[f"categorical.{i}"] = random.integers(-2, n + 3, events).astype(np.int32)

    embeddings = np.zeros((len(lengths), dimension or 2 * hidden), dtype=np.float32)
    weights = np.zeros(events - skipped, dtype=np.float32)
    for row, (start, end) in enumerate(zip(offsets[:-1], offsets[1:])):
        if start == end:
            continue
        order = start + np.argsort(columns["times"][start:end], kind="stable")
        seconds = columns["times"][order]
        raw = [np.log1p(np.diff(seconds, prepend=seconds[0])), np.log1p(seconds[-1] - seconds)]
        if dwell:
            raw.append(np.log1p(columns["dwell"][order]))
        times = (np.stack(raw, 1) - configuration["time_mean"]) / configuration["time_deviation"]
        numbers = [(columns[f"numeric.{i}"][order] - mean) / deviation for i, (mean, deviation) in enumerate(numeric)]
        numbers = np.stack(numbers, 1) if numbers else np.zeros((len(order), 0))
        with torch.no_grad():
            embedded, alpha = model(
                known(columns["types"][order], types + 1),
                torch.from_numpy(np.nan_to_num(times)).float(),
                torch.from_numpy(np.nan_to_num(numbers)).float(),
                [known(columns[f"categorical.{i}"][order], n + 1) for i, (n, _) in enumerate(categorical)],
            )
        embeddings[row] = embedded.numpy()
        weights[order - skipped] = alpha.numpy()

    tensors = {key: value.numpy() for key, value in model.state_dict().items()}
    write_safetensors(FOLDER / f"{name}.model.safetensors", tensors, {"covey.encoder": json.dumps(configuration)})
    write_safetensors(
        FOLDER / f"{name}.data.safetensors", columns | {"embeddings": embeddings, "attention": weights}, {}
    )


def main():
    FOLDER.mkdir(exist_ok=True)
    mixed = [0, 1, 2, 0, 17, 3, 1, 40, 5, 5, 5, 0, 2, 9, 23, 7, 1, 12, 31, 4, 6, 0]
    make("small", 1, mixed, unsorted=0.5)
    make("projected", 2, mixed, unsorted=0.3, hidden=16, embedding=8, attention=20, dimension=7, dwell=True)
    make(
        "channels",
        3,
        mixed,
        unsorted=0.3,
        types=30,
        hidden=20,
        embedding=6,
        attention=33,
        dimension=40,
        dwell=True,
        numeric=((10.0, 4.0), (-2.0, 0.5)),
        categorical=((5, 3), (9, 2)),
    )
    make(
        "two_layers",
        4,
        mixed,
        unsorted=0.3,
        hidden=12,
        layers=2,
        attention=70,
        dimension=18,
        numeric=((0.0, 1.0),),
        categorical=((4, 2),),
    )
    make("long", 5, [2500, 1, 700, 64], unsorted=0.5, hidden=8, embedding=3, attention=8, dimension=8)
    # Large weights: saturated gates, and an attention that is nearly all on one event.
    make("saturated", 6, mixed, unsorted=0.3, hidden=17, attention=16, dimension=5, gain=6.0)


if __name__ == "__main__":
    main()
