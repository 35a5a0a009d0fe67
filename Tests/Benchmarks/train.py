#!/usr/bin/env python3
"""Training of the encoder: Covey and PyTorch on the same model, objective, sequences and batch size.

    train.py [--sequences 4000] [--limit SECONDS] [--peers "covey;torch padded, similar lengths"]

The model of encode_model.py (event embedding 32, two time features, Bi-LSTM 64 a direction, 200 event types; sequences
of
lognormal length, median 30, 99th percentile 200, at most 256) learns `next_event` of covey.h, section 6: forward,
backward, clipping and AdamW in batches of 128. PyTorch runs packed batches drawn at random, as Covey does, and batches
of similar lengths, which are less to compute with; and both without packing: two LSTMs of one direction on padded
sequences, the second on each sequence turned round, which is the same function. The figure is an epoch's sequences a
second after one epoch to warm up, without the reading of the data. The share of the peak is of what a 2048 x 2048 sgemm
of PyTorch reaches with the same threads, for the operations of the model as written.
"""

import argparse
import sys
import time

import numpy as np
import torch

import harness
from encode_model import EMBEDDING, HIDDEN, TYPES, make, time_features

BATCH = 128
PEERS = ["covey", "torch packed", "torch packed, similar lengths", "torch padded", "torch padded, similar lengths"]
RATE, DECAY, CLIP = 3e-3, 0.01, 1.0
# Forward: gates of both directions, and both predictions of the types and the gap. Backward twice as much.
OPERATIONS = 3 * (2 * 2 * 4 * HIDDEN * (EMBEDDING + 2 + HIDDEN) + 2 * 2 * HIDDEN * (TYPES + 2))


class Learner(torch.nn.Module):
    def __init__(self, packed=True):
        super().__init__()
        self.event_embedding = torch.nn.Embedding(TYPES + 1, EMBEDDING)
        self.packed = packed
        if packed:
            self.lstm = torch.nn.LSTM(EMBEDDING + 2, HIDDEN, batch_first=True, bidirectional=True)
        else:
            self.ahead = torch.nn.LSTM(EMBEDDING + 2, HIDDEN, batch_first=True)
            self.behind = torch.nn.LSTM(EMBEDDING + 2, HIDDEN, batch_first=True)
        self.next = torch.nn.Linear(HIDDEN, TYPES + 2)
        self.previous = torch.nn.Linear(HIDDEN, TYPES + 2)

    def states(self, x, lengths):
        if self.packed:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            return torch.nn.utils.rnn.pad_packed_sequence(self.lstm(x)[0], batch_first=True)[0]
        place = torch.arange(x.shape[1])[None, :, None]
        turned = torch.where(place < lengths[:, None, None], lengths[:, None, None] - 1 - place, place)
        behind = self.behind(x.gather(1, turned.expand(-1, -1, x.shape[2])))[0]
        return torch.cat([self.ahead(x)[0], behind.gather(1, turned.expand(-1, -1, HIDDEN))], dim=2)

    def forward(self, types, features, lengths):
        states = self.states(torch.cat([self.event_embedding(types), features], dim=2), lengths)
        place = torch.arange(states.shape[1])[None, :]
        pairs = place[:, 1:] < lengths[:, None]
        inner = (place[:, 1:] < lengths[:, None] - 1)[pairs]  # the next event is not the last
        later = (place[:, 1:] > 1).expand_as(pairs)[pairs]  # the previous event is not the first
        forward = self.next(states[:, :-1, :HIDDEN][pairs])
        backward = self.previous(states[:, 1:, HIDDEN:][pairs])
        after, before = types[:, 1:][pairs], types[:, :-1][pairs]
        gap_after, gap_before = features[:, 1:, 0][pairs], features[:, :-1, 0][pairs]
        cross = torch.nn.functional.cross_entropy
        huber = torch.nn.functional.smooth_l1_loss
        return (
            cross(forward[:, :-1], after)
            + cross(backward[:, :-1], before)
            + huber(forward[inner, -1], gap_after[inner])
            + huber(backward[later, -1], gap_before[later])
        )


def torch_epoch(model, optimiser, offsets, types, features, similar, seed):
    lengths = np.diff(offsets)
    random = np.random.default_rng(seed)
    order = random.permutation(len(lengths))
    if similar:
        order = order[np.argsort(lengths[order], kind="stable")]
    batches = []
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        padded_types = torch.zeros((len(rows), lengths[rows].max()), dtype=torch.long)
        padded_features = torch.zeros((*padded_types.shape, 2))
        for place, row in enumerate(rows):
            span = slice(offsets[row], offsets[row + 1])
            padded_types[place, : lengths[row]] = torch.from_numpy(types[span].astype(np.int64))
            padded_features[place, : lengths[row]] = torch.from_numpy(features[span])
        batches.append((padded_types, padded_features, torch.from_numpy(lengths[rows])))
    start = time.perf_counter()
    for batch in batches:
        loss = model(*batch)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
    return time.perf_counter() - start


def sgemm_peak():
    a = torch.rand(2048, 2048)
    best = 0
    for _ in range(3):
        start = time.perf_counter()
        a @ a
        best = max(best, 2 * 2048**3 / (time.perf_counter() - start))
    return best


def run_one(peer, count):
    torch.set_num_threads(harness.THREADS)
    torch.manual_seed(0)
    offsets, types, times = make(count)

    def covey_run():
        import covey

        vocabulary = covey.Vocabulary([f"event {index}" for index in range(TYPES)])
        encoder = covey.SequenceEncoder.train(
            covey.Sequences(offsets, types, times),
            vocabulary,
            objectives="next_event",
            epochs=2,
            batch_size=BATCH,
            learning_rate=RATE,
            weight_decay=DECAY,
            clip=CLIP,
            warm_up=0,
            dropout=0,
            unknown=0,
            held_out=0,
            patience=0,
            context=covey.Context(threads=harness.THREADS),
        )
        return encoder.training.epochs[1].seconds

    def torch_run():
        features = time_features(offsets, times)
        features = (features - features.mean(axis=0)) / features.std(axis=0)
        model = Learner("packed" in peer)
        optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
        return [
            torch_epoch(model, optimiser, offsets, types, features, "similar" in peer, epoch) for epoch in range(2)
        ][1]

    measured = {}

    def run():
        measured["seconds"] = covey_run() if peer == "covey" else torch_run()
        return measured

    def figures():
        seconds = measured["seconds"]
        return {
            "sequences/s": f"{count / seconds:,.0f}",
            "k events/s": f"{offsets[-1] / seconds / 1e3:,.0f}",
            "peak share": f"{OPERATIONS * int(offsets[-1]) / seconds / sgemm_peak():.0%}",
        }

    harness.measure(lambda: None, run, figures)


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=4_000)
    parser.add_argument("--limit", type=float, default=240)
    parser.add_argument("--peers", default=";".join(PEERS), help="divided by ;")
    arguments = parser.parse_args()
    results = {
        peer: harness.measured(__file__, ["--one", peer, arguments.sequences], arguments.limit)
        for peer in arguments.peers.split(";")
    }
    harness.table(
        f"An epoch of {arguments.sequences:,} sequences, {harness.THREADS} threads",
        results,
        "covey",
        ["sequences/s", "k events/s", "peak share"],
    )
    ours = results.get("covey", {}).get("seconds")
    for what, similar in (("on equal (random) batches", [False]), ("in its best form", [False, True])):
        seconds = [
            result["seconds"]
            for peer, result in results.items()
            if peer != "covey" and "seconds" in result and ("similar" in peer) in similar
        ]
        if ours and seconds:
            print(f"  against PyTorch {what}: {min(seconds) / ours:.2f} times as fast")
    return 0


if __name__ == "__main__":
    sys.exit(main())
