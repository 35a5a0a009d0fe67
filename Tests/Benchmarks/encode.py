#!/usr/bin/env python3
"""Inference of the encoder: Covey and PyTorch on the same weights and sequences.

    encode.py [--sequences 20000] [--limit SECONDS]

Event embedding 32, two time features, Bi-LSTM 64 a direction, time attention, 128 numbers out; sequences of lognormal length
(median 30, 99th percentile 200, at most 256), 200 event types. PyTorch runs packed batches, as people write it, and batches of
sorted lengths without packing, the fastest arrangement found for it. Errors are against PyTorch in float64.
"""
import argparse
import json
import struct
import sys
import tempfile
import time

import numpy as np
import torch

import harness

TYPES, EMBEDDING, HIDDEN, ATTENTION = 200, 32, 64, 64
PEERS = ["covey", "torch packed", "torch sorted"]


class Encoder(torch.nn.Module):
    """The model of covey.h, section 6, without projection."""

    def __init__(self):
        super().__init__()
        self.event_embedding = torch.nn.Embedding(TYPES + 1, EMBEDDING)
        self.lstm = torch.nn.LSTM(EMBEDDING + 2, HIDDEN, batch_first=True, bidirectional=True)
        self.attention = torch.nn.ModuleDict({
            "hidden": torch.nn.Linear(2 * HIDDEN, ATTENTION),
            "time": torch.nn.Linear(2, ATTENTION, bias=False),
            "score": torch.nn.Linear(ATTENTION, 1, bias=False)})

    def forward(self, types, features, lengths, packed):
        x = torch.cat([self.event_embedding(types), features], dim=2)
        if packed:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            states, _ = torch.nn.utils.rnn.pad_packed_sequence(self.lstm(x)[0], batch_first=True)
        else:
            states, _ = self.lstm(x)
        scores = self.attention["score"](torch.tanh(
            self.attention["hidden"](states) + self.attention["time"](features[:, :states.shape[1]]))).squeeze(2)
        mask = torch.arange(states.shape[1])[None, :] >= lengths[:, None]
        weights = torch.softmax(scores.masked_fill(mask, float("-inf")), dim=1)
        return (weights[:, :, None] * states).sum(dim=1)


def make(count, seed=1):
    random = np.random.default_rng(seed)
    lengths = np.clip(np.exp(random.normal(np.log(30), 0.815, count)), 1, 256).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    types = random.integers(1, TYPES + 1, offsets[-1]).astype(np.int32)
    times = np.cumsum(random.exponential(20, offsets[-1]))
    return offsets, types, times


def time_features(offsets, times):
    """log1p of the gap and of the time to the end; mean 0 and deviation 1 stand in the checkpoint."""
    gaps = np.diff(times, prepend=times[0])
    gaps[offsets[:-1]] = 0
    ends = np.repeat(times[offsets[1:] - 1], np.diff(offsets))
    return np.log1p(np.stack([gaps, ends - times], axis=1)).astype(np.float32)


def save(model, path):
    tensors = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    configuration = {"format_version": 1, "vocabulary": [f"event {index}" for index in range(TYPES)], "dwell": False,
                     "time_mean": [0.0, 0.0], "time_deviation": [1.0, 1.0], "numeric": [], "categorical": []}
    header, offset = {"__metadata__": {"covey.encoder": json.dumps(configuration)}}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(tensors[name].tobytes() for name in sorted(tensors)))


def batches(offsets, size, by_length):
    order = np.argsort(np.diff(offsets), kind="stable") if by_length else np.arange(len(offsets) - 1)
    return [order[start:start + size] for start in range(0, len(order), size)]


def prepare(offsets, types, features, packed, dtype):
    """Padded batches, made before the clock starts. Without packing a batch must be of equal lengths to be right."""
    lengths = np.diff(offsets)
    prepared = []
    for rows in batches(offsets, 256 if packed else 64, not packed):
        longest = lengths[rows].max()
        padded_types = torch.zeros((len(rows), longest), dtype=torch.long)
        padded_features = torch.zeros((len(rows), longest, 2), dtype=dtype)
        for place, row in enumerate(rows):
            span = slice(offsets[row], offsets[row + 1])
            padded_types[place, :lengths[row]] = torch.from_numpy(types[span].astype(np.int64))
            padded_features[place, :lengths[row]] = torch.from_numpy(features[span])
        pack = packed or lengths[rows].min() != longest
        prepared.append((rows, padded_types, padded_features, torch.from_numpy(lengths[rows]), pack))
    return prepared


def torch_embed(model, count, prepared):
    result = np.empty((count, 2 * HIDDEN))
    for rows, *batch in prepared:
        result[rows] = model(*batch).numpy()
    return result


def run_one(peer, count):
    torch.set_num_threads(harness.THREADS)
    torch.manual_seed(0)
    model = Encoder().eval()
    offsets, types, times = make(count)
    features = time_features(offsets, times)
    sample = slice(0, 200)
    with torch.no_grad():
        exact = torch_embed(model.double(), 200, prepare(offsets[:201], types, features, True, torch.float64))
        model = model.float()
        if peer == "covey":
            import covey
            with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
                save(model, file.name)
                encoder = covey.SequenceEncoder.load(file.name)
            context = covey.Context(threads=harness.THREADS)
            sequences = covey.Sequences(offsets, types, times)

            def embed():
                return encoder.embed(sequences, context=context)
        else:
            prepared = prepare(offsets, types, features, peer == "torch packed", torch.float32)

            def embed():
                return torch_embed(model, count, prepared)

        def run():
            start = time.perf_counter()
            result = embed()
            seconds = time.perf_counter() - start
            error = np.abs(result[sample] - exact).max()
            return {"M events/s": f"{offsets[-1] / seconds / 1e6:.3f}", "error": f"{error:.1e}"}

        harness.measure(embed, run)


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=20_000)
    parser.add_argument("--limit", type=float, default=240)
    parser.add_argument("--peers", default=",".join(PEERS))
    arguments = parser.parse_args()
    results = {peer: harness.measured(__file__, ["--one", peer, arguments.sequences], arguments.limit)
               for peer in arguments.peers.split(",")}
    harness.table(f"{arguments.sequences:,} sequences, {harness.THREADS} threads", results, "covey", ["M events/s", "error"])
    return 0


sys.exit(main())
