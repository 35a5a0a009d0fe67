#!/usr/bin/env python3
"""Trains a sequence encoder on click streams, without labels, and exports it for Covey.

    python3 train_with_pytorch.py --events events.csv --output model.safetensors

The events come as a CSV file with one row an event and the columns `transaction`, `seconds`, `event` and, where it is
known, `dwell` (seconds; empty = missing). Rows may come in any order. Any option that is not given has a default that
suits click streams of some dozens of events. Needs PyTorch (1.13 or later) and NumPy.

What is learned, with no label at all (each loss in nats, summed):

  next event      the forward state after event t predicts the type and the log gap of event t + 1,
  previous event  the backward state before event t predicts the type and the log gap of event t - 1.
                  One layer only: a second one would see through the first what it is to predict.
  decoding        the embedding alone, asked for the event at a relative position, gives its type and time features; it
                  also gives the number of events. This trains the attention and the projection, and makes sequences
                  with the same behaviour lie close to each other, which is what clustering needs.

The result is a safetensors file that `covey_load_model` and `covey.SequenceEncoder.load` read; covey.h says what is in
it.
"""

import argparse
import csv
import json
import struct
import time
from collections import Counter

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


# ------------------------------------------------------------------------------------------------------------ input
def read_events(path):
    """The sequences of a CSV file: a list of (event names, seconds, dwell), each in the order of time."""
    rows = {}
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        has_dwell = "dwell" in (reader.fieldnames or [])
        for row in reader:
            dwell = float(row["dwell"]) if has_dwell and row["dwell"] else float("nan")
            rows.setdefault(row["transaction"], []).append((float(row["seconds"]), row["event"], dwell))
    sequences = []
    for events in rows.values():
        events.sort(key=lambda event: event[0])  # stable: events with equal times keep their order
        seconds, names, dwell = zip(*events)
        sequences.append((list(names), np.array(seconds), np.array(dwell)))
    if not sequences:
        raise SystemExit(f"{path}: no events")
    return sequences, has_dwell


def build_vocabulary(sequences, min_count):
    """Names that occur at least `min_count` times, the most frequent first. Index 0 is the unknown entry."""
    counts = Counter(name for names, _, _ in sequences for name in names)
    kept = [name for name, count in counts.items() if count >= min_count]
    return sorted(kept, key=lambda name: (-counts[name], name.encode()))


def time_features(seconds, dwell, has_dwell):
    """log1p of the gap since the previous event, of the time until the last event and of dwell: [events, 2 or 3]."""
    columns = [np.log1p(np.diff(seconds, prepend=seconds[0])), np.log1p(seconds[-1] - seconds)]
    if has_dwell:
        columns.append(np.log1p(dwell))
    return np.stack(columns, axis=1)


class Data:
    """The sequences as numbers, with the scaling of their time features."""

    def __init__(self, sequences, has_dwell, vocabulary):
        index = {name: position + 1 for position, name in enumerate(vocabulary)}
        self.types = [np.array([index.get(name, 0) for name in names]) for names, _, _ in sequences]
        raw = [time_features(seconds, dwell, has_dwell) for _, seconds, dwell in sequences]
        stacked = np.concatenate(raw)
        if np.isnan(stacked).all(axis=0).any():
            raise SystemExit("dwell is missing for every event: leave the column out")
        self.mean = np.nanmean(stacked, axis=0)
        deviation = np.nanstd(stacked, axis=0)
        self.deviation = np.where(deviation > 0, deviation, 1.0)
        # A missing value stands as 0 after standardising.
        self.times = [np.nan_to_num((x - self.mean) / self.deviation, nan=0.0).astype(np.float32) for x in raw]
        self.lengths = np.array([len(types) for types in self.types])

    def batch(self, chosen):
        """Padded tensors of some sequences: types [n, T], times [n, T, 2 or 3], lengths [n]."""
        lengths = self.lengths[chosen]
        types = np.zeros((len(chosen), lengths.max()), dtype=np.int64)
        times = np.zeros((len(chosen), lengths.max(), len(self.mean)), dtype=np.float32)
        for row, sequence in enumerate(chosen):
            types[row, : lengths[row]] = self.types[sequence]
            times[row, : lengths[row]] = self.times[sequence]
        return torch.from_numpy(types), torch.from_numpy(times), torch.from_numpy(lengths)

    def batches(self, chosen, size, random):
        """Batches of sequences of similar length, in random order, so that little is padded."""
        chosen = random.permutation(chosen)
        ordered = chosen[np.argsort(self.lengths[chosen], kind="stable")]
        batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
        return [batches[i] for i in random.permutation(len(batches))]


# ------------------------------------------------------------------------------------------------------------ model
class TimeAttention(nn.Module):
    """s_t = v . tanh(W_h h_t + b + W_t tau_t), alpha = softmax(s): additive attention that sees time."""

    def __init__(self, states, times, size):
        super().__init__()
        self.hidden = nn.Linear(states, size)
        self.time = nn.Linear(times, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)

    def forward(self, states, times, mask):
        scores = self.score(torch.tanh(self.hidden(states) + self.time(times))).squeeze(-1)
        return torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=1)


class SequenceEncoder(nn.Module):
    """The encoder of covey.h. The names of its parameters are the names in the file."""

    def __init__(self, entries, times, embedding, hidden, attention, dimension):
        super().__init__()
        self.event_embedding = nn.Embedding(entries, embedding)
        self.lstm = nn.LSTM(embedding + times, hidden, batch_first=True, bidirectional=True)
        self.attention = TimeAttention(2 * hidden, times, attention)
        self.projection = nn.Linear(2 * hidden, dimension)

    def forward(self, types, times, lengths):
        """States [n, T, 2H], attention weights [n, T] and embeddings [n, d]."""
        inputs = torch.cat([self.event_embedding(types), times], dim=2)
        packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=types.shape[1])
        weights = self.attention(states, times, mask_of(types, lengths))
        return states, weights, self.projection((weights.unsqueeze(2) * states).sum(dim=1))


def mask_of(types, lengths):
    return torch.arange(types.shape[1]).unsqueeze(0) < lengths.unsqueeze(1)


class Objective(nn.Module):
    """What trains the encoder; thrown away afterwards."""

    FREQUENCIES = 4  # of the relative position, as cosines

    def __init__(self, entries, times, hidden, dimension):
        super().__init__()
        self.next = nn.Linear(hidden, entries + 1)
        self.previous = nn.Linear(hidden, entries + 1)
        self.decoder = nn.Sequential(
            nn.Linear(dimension + self.FREQUENCIES, 2 * dimension), nn.ReLU(), nn.Linear(2 * dimension, entries + times)
        )
        self.length = nn.Linear(dimension, 1)

    def forward(self, states, embeddings, types, times, lengths):
        mask = mask_of(types, lengths)
        pairs = mask[:, 1:]  # events t and t + 1, both there
        hidden = states.shape[2] // 2
        loss = self.neighbour(self.next(states[:, :-1, :hidden]), types[:, 1:], times[:, 1:, 0], pairs)
        loss = loss + self.neighbour(self.previous(states[:, 1:, hidden:]), types[:, :-1], times[:, :-1, 0], pairs)
        return loss + self.decode(embeddings, types, times, lengths, mask)

    @staticmethod
    def neighbour(predicted, types, gaps, mask):
        """Cross-entropy of the type and squared error of the standardised log gap."""
        if not mask.any():
            return predicted.sum() * 0
        predicted = predicted[mask]
        return nn.functional.cross_entropy(predicted[:, :-1], types[mask]) + nn.functional.mse_loss(
            predicted[:, -1], gaps[mask]
        )

    def decode(self, embeddings, types, times, lengths, mask):
        """Every event from the embedding and the event's relative position; each sequence counts the same."""
        entries = self.next.out_features - 1
        position = torch.arange(types.shape[1]).unsqueeze(0) / (lengths - 1).clamp(min=1).unsqueeze(1)
        angles = position.unsqueeze(2) * torch.arange(1, self.FREQUENCIES + 1) * torch.pi
        query = torch.cat([embeddings.unsqueeze(1).expand(-1, types.shape[1], -1), torch.cos(angles)], dim=2)
        predicted = self.decoder(query[mask])
        each = nn.functional.cross_entropy(predicted[:, :entries], types[mask], reduction="none")
        each = each + (predicted[:, entries:] - times[mask]).square().mean(dim=1)
        weight = (1 / lengths).unsqueeze(1).expand_as(mask)[mask] / len(lengths)
        length_error = nn.functional.mse_loss(self.length(embeddings).squeeze(1), torch.log(lengths.float()))
        return (weight * each).sum() + length_error


# --------------------------------------------------------------------------------------------------------- training
def train(encoder, objective, data, options):
    """Adam with clipping and cosine decay; keeps the weights of the epoch with the least loss on held-out sequences."""
    random = np.random.default_rng(options.seed)
    order = random.permutation(len(data.types))
    held_out = order[: max(1, len(order) // 20)] if len(order) > 1 else order
    training = order[len(held_out) :] if len(order) > 1 else order
    parameters = [*encoder.parameters(), *objective.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=options.learning_rate)
    steps = options.epochs * -(-len(training) // options.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, steps))

    def loss_of(chosen, learning):
        types, times, lengths = data.batch(chosen)
        seen = types
        if learning:  # now and then an event is shown as unknown, so that the unknown entry learns its place
            seen = types.masked_fill(torch.rand(types.shape) < options.unknown, 0)
        states, _, embeddings = encoder(seen, times, lengths)
        return objective(states, embeddings, types, times, lengths)

    best_loss, best = float("inf"), None
    for epoch in range(1, options.epochs + 1):
        started, total = time.monotonic(), 0.0
        encoder.train()
        for chosen in data.batches(training, options.batch, random):
            loss = loss_of(chosen, learning=True)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        encoder.eval()
        with torch.no_grad():
            unseen = sum(
                loss_of(chosen, learning=False).item() * len(chosen)
                for chosen in data.batches(held_out, options.batch, np.random.default_rng(0))
            ) / len(held_out)
        seconds = time.monotonic() - started
        print(
            f"epoch {epoch}/{options.epochs}: loss {total / len(training):.4f}, held out {unseen:.4f}, "
            f"{len(training) / seconds:,.0f} sequences/s",
            flush=True,
        )
        if not np.isfinite(unseen):
            raise SystemExit(f"the loss is {unseen}: try a smaller --learning-rate")
        if unseen < best_loss:
            best_loss = unseen
            best = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    encoder.load_state_dict(best)


# ----------------------------------------------------------------------------------------------------------- export
def write_safetensors(path, tensors, metadata):
    """Writes float32 tensors: the header's length, the header (JSON), the numbers."""
    header, parts, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in sorted(tensors.items()):
        data = np.ascontiguousarray(tensor.detach().numpy(), dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def configuration(vocabulary, data, has_dwell):
    """The entry "covey.encoder" of the file's metadata."""
    return json.dumps(
        {
            "format_version": 1,
            "vocabulary": vocabulary,
            "time_mean": data.mean.tolist(),
            "time_deviation": data.deviation.tolist(),
            "dwell": has_dwell,
            "numeric": [],
            "categorical": [],
        },
        ensure_ascii=False,
    )


def main():
    parser = argparse.ArgumentParser(description="Trains a sequence encoder for Covey, without labels.")
    parser.add_argument("--events", required=True, help="CSV file: transaction, seconds, event and optionally dwell")
    parser.add_argument("--output", required=True, help="the safetensors file to write")
    parser.add_argument("--embedding", type=int, default=16, help="numbers for an event type (default %(default)s)")
    parser.add_argument("--hidden", type=int, default=32, help="LSTM units a direction (default %(default)s)")
    parser.add_argument("--attention", type=int, default=32, help="attention units (default %(default)s)")
    parser.add_argument(
        "--dimension", type=int, default=32, help="length of a sequence's embedding (default %(default)s)"
    )
    parser.add_argument(
        "--min-count", type=int, default=5, help="rarer event types count as unknown (default %(default)s)"
    )
    parser.add_argument(
        "--unknown", type=float, default=0.02, help="share of events shown as unknown (default %(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=20, help="(default %(default)s)")
    parser.add_argument("--batch", type=int, default=128, help="sequences a step (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="(default %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="the same seed gives the same weights (default %(default)s)"
    )
    options = parser.parse_args()
    torch.manual_seed(options.seed)

    sequences, has_dwell = read_events(options.events)
    vocabulary = build_vocabulary(sequences, options.min_count)
    data = Data(sequences, has_dwell, vocabulary)
    print(f"{len(sequences):,} sequences, {data.lengths.sum():,} events, {len(vocabulary)} event types")

    entries, times = len(vocabulary) + 1, len(data.mean)
    encoder = SequenceEncoder(entries, times, options.embedding, options.hidden, options.attention, options.dimension)
    objective = Objective(entries, times, options.hidden, options.dimension)
    train(encoder, objective, data, options)
    write_safetensors(
        options.output, encoder.state_dict(), {"covey.encoder": configuration(vocabulary, data, has_dwell)}
    )
    print(f"wrote {options.output}: embeddings of {options.dimension} numbers")


if __name__ == "__main__":
    main()
