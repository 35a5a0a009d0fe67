#!/usr/bin/env python3
"""Trains one encoder of embed_quality.py without labels and writes the embeddings. A process of its own:

    embed_peers.py METHOD SEQUENCES.npz BUDGET DIMENSION SEED OPTIONS EMBEDDINGS.npy

The budget is in seconds of all processors that the process uses while it trains, which other work on the machine hardly
changes. All methods see the same: event types, log gaps, the numeric channels.
"""

import json
import sys
import time
import warnings

import numpy as np

import harness

# Weights of the objectives.
COVEY = {
    "next_event": {"next_event": 1},
    "masked_event": {"masked_event": 1},
    "autoencoder": {"autoencoder": 1},
    "contrastive": {"contrastive": 1},
    "next + autoencoder": {"next_event": 1, "autoencoder": 1},
    "next + auto + contrastive": {"next_event": 1, "autoencoder": 1, "contrastive": 1},
    "next + auto + contrastive / 10": {"next_event": 1, "autoencoder": 1, "contrastive": 0.1},
}


def covey(method, data, budget, dimension, seed, options):
    import covey

    names = [str(name) for name in data["names"]]
    channels = {str(name): values for name, values in zip(data["channels"], data["numeric"])}
    sequences = covey.Sequences(data["offsets"], data["types"], data["times"], numeric=channels)
    context = covey.Context(threads=harness.THREADS)

    def train(epochs):
        start = time.process_time()
        encoder = covey.SequenceEncoder.train(
            sequences,
            covey.Vocabulary(names),
            objectives=COVEY[method],
            hidden_size=dimension // 2,
            epochs=epochs,
            seed=seed,
            context=context,
            **options,
        )
        return encoder, time.process_time() - start

    # The learning rate falls over all epochs, so their number has to be known before: one epoch tells it.
    epochs = max(1, round(budget / train(1)[1]))
    encoder, seconds = train(epochs)
    return encoder.embed(sequences, context=context), {"cpu_seconds": seconds, "epochs": len(encoder.training.epochs)}


def coles(data, budget, dimension, seed, options):
    """pytorch-lifestream's CoLES as its tutorial has it: a GRU's last state, 5 slices, hard negatives, Adam."""
    from functools import partial
    import logging
    import pytorch_lightning
    import torch
    from ptls.data_load.datasets import inference_data_loader
    from ptls.frames.coles import CoLESModule, ColesDataset
    from ptls.frames.coles.split_strategy import SampleSlices
    from ptls.nn import RnnSeqEncoder, TrxEncoder

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    options = {"learning_rate": 1e-3, "batch_size": 64, "least": 5, "embedding": 32, "type": "gru", **options}
    torch.set_num_threads(harness.THREADS)
    pytorch_lightning.seed_everything(seed, verbose=False)
    offsets, times = data["offsets"], data["times"]
    gaps = np.diff(times, prepend=times[:1])
    gaps[offsets[:-1]] = 0
    columns = {"gap": np.log1p(gaps), **{str(name): values for name, values in zip(data["channels"], data["numeric"])}}
    columns = {
        name: torch.from_numpy(((values - values.mean()) / values.std()).astype(np.float32))
        for name, values in columns.items()
    }
    columns["event_type"] = torch.from_numpy(data["types"].astype(np.int64))
    columns["event_time"] = torch.from_numpy(times)
    records = [
        {name: values[start:end] for name, values in columns.items()} for start, end in zip(offsets[:-1], offsets[1:])
    ]
    module = CoLESModule(
        seq_encoder=RnnSeqEncoder(
            trx_encoder=TrxEncoder(
                embeddings={"event_type": {"in": len(data["names"]) + 1, "out": options["embedding"]}},
                numeric_values={name: "identity" for name in columns if name not in ("event_type", "event_time")},
                embeddings_noise=0.003,
            ),
            hidden_size=dimension,
            type=options["type"],
        ),
        optimizer_partial=partial(torch.optim.Adam, lr=options["learning_rate"]),
        lr_scheduler_partial=partial(torch.optim.lr_scheduler.StepLR, step_size=30, gamma=0.9),
    )
    dataset = ColesDataset(records, SampleSlices(split_count=5, cnt_min=options["least"], cnt_max=200))
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=options["batch_size"], shuffle=True, collate_fn=dataset.collate_fn
    )
    start = time.process_time()
    epochs = 0.0

    class Budget(pytorch_lightning.Callback):
        def on_train_batch_end(self, trainer, *_):
            nonlocal epochs
            epochs += 1 / len(loader)
            trainer.should_stop = time.process_time() - start > budget

    pytorch_lightning.Trainer(
        min_epochs=0,
        max_epochs=1_000_000,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Budget()],
    ).fit(module, loader)
    seconds = time.process_time() - start
    module.seq_encoder.eval()
    with torch.no_grad():
        embeddings = torch.cat([module.seq_encoder(batch) for batch in inference_data_loader(records)]).numpy()
    return embeddings, {"cpu_seconds": seconds, "epochs": round(epochs, 2)}


def main():
    method, path, budget, dimension, seed, options, target = sys.argv[1:]
    data = np.load(path)
    arguments = (data, float(budget), int(dimension), int(seed), json.loads(options))
    embeddings, told = coles(*arguments) if method == "CoLES" else covey(method, *arguments)
    np.save(target, embeddings.astype(np.float32))
    print(harness.MARK + json.dumps(told))


if __name__ == "__main__":
    main()
