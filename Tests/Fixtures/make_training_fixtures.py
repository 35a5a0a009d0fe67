#!/usr/bin/env python3
"""Makes the fixtures of training with PyTorch: weights, inputs, and the losses and gradients that PyTorch's autograd
gives for them.

    python3 make_training_fixtures.py          (PyTorch 1.13 or later; writes training/*.safetensors beside this script)

For each case NAME.safetensors holds in its metadata the configuration of the encoder ("covey.encoder") and the sizes
("case"), and
the tensors: weights (weight.*), the input columns (offsets, types, times, dwell, numeric.*, categorical.*), which
events are masked (masked), the slices of the contrastive objective (slices: sequence, start, length), and for each
objective its loss (loss.OBJECTIVE) and the gradients of all weights that it has any for (gradient.OBJECTIVE.*),
computed in float64. The objectives are those of covey.h, section 6.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from encoder_model import Attention, write_safetensors

FOLDER = Path(__file__).parent / "training"
POSITIONS = 8
NEGATIVES = 5
MARGIN = 0.5


class Decoder(nn.Module):
    def __init__(self, dimension, types, numbers):
        super().__init__()
        self.hidden = nn.Linear(dimension + POSITIONS, max(32, dimension))
        self.event = nn.Linear(max(32, dimension), types + numbers)
        self.length = nn.Linear(dimension, 1)


class Model(nn.Module):
    """The encoder, and the maps that the objectives need."""

    def __init__(self, case):
        super().__init__()
        times, entries = 3 if case["dwell"] else 2, case["types"] + 1
        width = case["embedding"] + times + len(case["numeric"]) + len(case["categorical"]) * case["category_embedding"]
        self.entries, self.states = entries, case["hidden"]
        self.event_embedding = nn.Embedding(entries, case["embedding"])
        self.categorical_embeddings = nn.ModuleList(
            nn.Embedding(n + 1, case["category_embedding"]) for n in case["categorical"]
        )
        self.lstm = nn.LSTM(width, case["hidden"], batch_first=True, bidirectional=True)
        self.attention = Attention(2 * case["hidden"], times, case["attention"])
        dimension = case["dimension"] or 2 * case["hidden"]
        if case["dimension"]:
            self.projection = nn.Linear(2 * case["hidden"], dimension)
        self.next = nn.Linear(case["hidden"], entries + 1)
        self.previous = nn.Linear(case["hidden"], entries + 1)
        self.masked = nn.Linear(2 * case["hidden"], entries)
        self.decoder = Decoder(dimension, entries, times + len(case["numeric"]))

    def encode(self, types, times, numeric, categories):
        columns = [self.event_embedding(types), times, numeric]
        columns += [embed(codes) for embed, codes in zip(self.categorical_embeddings, categories)]
        states = self.lstm(torch.cat(columns, dim=1).unsqueeze(0))[0][0]
        scores = self.attention.score(torch.tanh(self.attention.hidden(states) + self.attention.time(times)))
        pooled = torch.softmax(scores[:, 0], dim=0) @ states
        return states, self.projection(pooled) if hasattr(self, "projection") else pooled


def huber(predicted, target):
    return nn.functional.smooth_l1_loss(predicted, target, reduction="sum")


def cross_entropy(logits, types):
    return nn.functional.cross_entropy(logits, types, reduction="sum")


def next_event(model, views):
    """Sums over all pairs, divided by their numbers."""
    pairs = sum(len(view["types"]) - 1 for view in views)
    gaps = sum(max(0, len(view["types"]) - 2) for view in views)
    total = 0
    for view in views:
        states, types, gap = view["states"], view["types"], view["times"][:, 0]
        forward, backward = model.next(states[:-1, : model.states]), model.previous(states[1:, model.states :])
        total = (
            total
            + cross_entropy(forward[:, :-1], types[1:]) / pairs
            + cross_entropy(backward[:, :-1], types[:-1]) / pairs
        )
        if len(types) > 2:
            total = total + huber(forward[:-1, -1], gap[1:-1]) / gaps + huber(backward[1:, -1], gap[1:-1]) / gaps
    return total


def masked_event(model, views):
    count = sum(int(view["masked"].sum()) for view in views)
    return (
        sum(
            cross_entropy(model.masked(view["states"][view["masked"]]), view["types"][view["masked"]]) for view in views
        )
        / count
    )


def autoencoder(model, views):
    total = 0
    for view in views:
        length = len(view["types"])
        position = torch.arange(length, dtype=torch.float64) / max(1, length - 1)
        cosines = torch.cos(position[:, None] * torch.pi * torch.arange(1, POSITIONS + 1))
        query = torch.cat([view["embedding"].expand(length, -1), cosines], dim=1)
        predicted = model.decoder.event(torch.relu(model.decoder.hidden(query)))
        numbers = torch.cat([view["times"], view["numbers"]], dim=1)
        for start, weight in ((0, 1 / length), (length - 1, 1)):  # all events, and the last once more
            events = cross_entropy(predicted[start:, : model.entries], view["types"][start:])
            total = total + weight * (events + huber(predicted[start:, model.entries :], numbers[start:]))
        total = total + huber(model.decoder.length(view["embedding"])[0], torch.tensor(float(np.log(length))))
    return total / len(views)


def contrastive(model, views, others):
    units = torch.stack([view["embedding"] for view in views + others])
    units = units / units.norm(dim=1, keepdim=True)
    places = torch.tensor([view["place"] for view in views + others])
    same = places[:, None] == places[None, :]
    distances = (units[:, None] - units[None, :]).pow(2).sum(dim=2)
    positive = distances[torch.triu(same, diagonal=1)]
    count = min(NEGATIVES, len(places) - int(same.sum(dim=1).max()))
    nearest = distances.masked_fill(same, float("inf")).topk(count, dim=1, largest=False).values.sqrt()
    negative = torch.relu(MARGIN - nearest).pow(2)
    return (positive.sum() + negative.sum()) / (positive.numel() + negative.numel())


def make(
    name,
    seed,
    lengths,
    types=12,
    embedding=4,
    hidden=5,
    attention=3,
    dimension=0,
    dwell=False,
    numeric=(),
    categorical=(),
    category_embedding=3,
    slices=(),
    chosen=None,
):
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    case = dict(
        types=types,
        embedding=embedding,
        hidden=hidden,
        attention=attention,
        dimension=dimension,
        dwell=dwell,
        numeric=numeric,
        categorical=categorical,
        category_embedding=category_embedding,
    )
    model = Model(case)
    weights = {key: value.detach().numpy().copy() for key, value in model.state_dict().items()}
    model = model.double()
    configuration = {
        "format_version": 1,
        "vocabulary": [f"event {i}" for i in range(1, types + 1)],
        "time_mean": [2.5, 5.0, 1.25][: 3 if dwell else 2],
        "time_deviation": [1.75, 3.0, 0.8][: 3 if dwell else 2],
        "dwell": dwell,
        "numeric": [
            {"name": f"number {i}", "mean": mean, "deviation": deviation} for i, (mean, deviation) in enumerate(numeric)
        ],
        "categorical": [
            {"name": f"category {i}", "vocabulary": [f"c{j}" for j in range(n)]} for i, n in enumerate(categorical)
        ],
    }
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    events = int(offsets[-1])
    columns = {
        "offsets": offsets,
        "types": random.integers(-1, types + 3, events).astype(np.int32),
        "times": 1.6e9 + np.round(np.cumsum(random.lognormal(1, 2, events)), 3),
        "masked": (random.random(events) < 0.25).astype(np.int32),
    }
    if dwell:
        columns["dwell"] = random.exponential(4, events)
        columns["dwell"][random.random(events) < 0.3] = np.nan
    for i, (mean, deviation) in enumerate(numeric):
        columns[f"numeric.{i}"] = random.normal(mean, deviation, events)
        columns[f"numeric.{i}"][random.random(events) < 0.2] = np.nan
    for i, n in enumerate(categorical):
        columns[f"categorical.{i}"] = random.integers(-2, n + 3, events).astype(np.int32)

    def view(sequence, start, length, with_masks):
        """A run of events as a sequence of its own."""
        span = slice(offsets[sequence] + start, offsets[sequence] + start + length)
        seconds = columns["times"][span]
        raw = [np.log1p(np.diff(seconds, prepend=seconds[0])), np.log1p(seconds[-1] - seconds)]
        if dwell:
            raw.append(np.log1p(columns["dwell"][span]))
        times = (np.stack(raw, 1) - configuration["time_mean"]) / configuration["time_deviation"]
        numbers = [(columns[f"numeric.{i}"][span] - mean) / deviation for i, (mean, deviation) in enumerate(numeric)]
        numbers = np.stack(numbers, 1) if numbers else np.zeros((length, 0))
        codes = columns["types"][span]
        codes = np.where((codes >= 0) & (codes <= types), codes, 0).astype(np.int64)
        masked = (columns["masked"][span] == 1) & with_masks
        shown = np.where(masked, 0, codes)
        numbers = np.where(masked[:, None], 0, np.nan_to_num(numbers))
        categories = []
        for i, n in enumerate(categorical):
            values = columns[f"categorical.{i}"][span]
            values = np.where((values >= 0) & (values <= n) & ~masked, values, 0).astype(np.int64)
            categories.append(torch.from_numpy(values))
        times = torch.from_numpy(np.nan_to_num(times))
        numbers = torch.from_numpy(numbers)
        states, embedded = model.encode(torch.from_numpy(shown), times, numbers, categories)
        return {
            "states": states,
            "embedding": embedded,
            "types": torch.from_numpy(codes),
            "times": times,
            "numbers": numbers,
            "masked": torch.from_numpy(masked),
            "place": sequence,
        }

    expected = {}
    objectives = {
        "next_event": next_event,
        "masked_event": masked_event,
        "autoencoder": autoencoder,
        "contrastive": contrastive,
    }
    for objective, function in objectives.items():
        if chosen and objective not in chosen:
            continue
        model.zero_grad()
        views = [view(i, 0, n, objective == "masked_event") for i, n in enumerate(lengths)]
        others = [[view(*part, False) for part in slices]] if objective == "contrastive" else []
        loss = function(model, views, *others)
        loss.backward()
        expected[f"loss.{objective}"] = loss.detach().numpy().reshape(1)
        for key, parameter in model.named_parameters():
            if parameter.grad is not None:
                expected[f"gradient.{objective}.{key}"] = parameter.grad.numpy().astype(np.float32)

    arrays = columns | {f"weight.{key}": value for key, value in weights.items()} | expected
    arrays["slices"] = np.array(slices, dtype=np.int32).reshape(-1, 3)
    write_safetensors(
        FOLDER / f"{name}.safetensors", arrays, {"covey.encoder": json.dumps(configuration), "case": json.dumps(case)}
    )


def main():
    FOLDER.mkdir(exist_ok=True)
    mixed = [1, 2, 17, 3, 1, 40, 5, 5, 5, 2, 9, 23, 7, 1, 12, 31, 4, 6]
    parts = [
        (2, 3, 9),
        (2, 0, 5),
        (5, 10, 20),
        (5, 0, 11),
        (11, 4, 8),
        (15, 1, 25),
        (15, 20, 11),
        (0, 0, 1),
        (17, 2, 3),
    ]
    make("small", 1, mixed, slices=parts)
    make("projected", 2, mixed, hidden=16, embedding=8, attention=20, dimension=7, dwell=True, slices=parts)
    make(
        "channels",
        3,
        mixed,
        types=30,
        hidden=20,
        embedding=6,
        attention=33,
        dimension=40,
        dwell=True,
        numeric=((10.0, 4.0), (-2.0, 0.5)),
        categorical=(5, 9),
        slices=parts,
    )
    make(
        "wide", 4, [700, 1, 64, 200], types=25, hidden=66, embedding=3, attention=8, dimension=8, chosen=["next_event"]
    )


if __name__ == "__main__":
    main()
