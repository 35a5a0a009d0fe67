"""What the tests share: where things are, a model file without PyTorch, simulated streams."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLE = REPOSITORY / "examples" / "data"
SHARED = Path(os.environ.get("COVEY_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


def shared(*parts):
    """A file of the development data; the test is skipped where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs the development data: {path} is absent (see COVEY_SHARED_DATA)")
    return path


def write_safetensors(path, tensors, metadata):
    """float32 tensors and string metadata in the safetensors layout."""
    header, offset = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(np.ascontiguousarray(tensor, dtype="<f4").tobytes())


def write_random_encoder(
    path,
    vocabulary,
    *,
    embedding=12,
    hidden=24,
    attention=16,
    seed=1,
    dwell=False,
    gap=(4.0, 2.5),
    numeric=(),
    categorical=(),
):
    """A reservoir (echo state network): fixed random recurrent weights of spectral radius about 0.9, untrained. It
    keeps what came in what order and at what pace, which is enough to tell behaviours apart; a trained encoder is
    better.

    gap: mean and deviation of log1p(seconds) that standardise the time features. numeric: names of channels.
    categorical: (name, vocabulary) pairs. Returns the tensors by name."""
    random = np.random.default_rng(seed)
    times = 3 if dwell else 2
    width = embedding + times + len(numeric) + 4 * len(categorical)
    tensors = {"event_embedding.weight": random.normal(size=(len(vocabulary) + 1, embedding))}
    for suffix in ("", "_reverse"):
        tensors[f"lstm.weight_ih_l0{suffix}"] = random.normal(size=(4 * hidden, width)) / np.sqrt(width)
        recurrent = random.normal(size=(4 * hidden, hidden)) * 0.9 / np.sqrt(hidden)
        tensors[f"lstm.weight_hh_l0{suffix}"] = recurrent
        bias = np.zeros(4 * hidden)
        bias[hidden : 2 * hidden] = 1.0  # forget slowly
        tensors[f"lstm.bias_ih_l0{suffix}"] = bias
        tensors[f"lstm.bias_hh_l0{suffix}"] = np.zeros(4 * hidden)
    tensors["attention.hidden.weight"] = random.normal(size=(attention, 2 * hidden)) / np.sqrt(2 * hidden)
    tensors["attention.hidden.bias"] = np.zeros(attention)
    tensors["attention.time.weight"] = random.normal(size=(attention, times)) / np.sqrt(times)
    tensors["attention.score.weight"] = random.normal(size=(1, attention)) / np.sqrt(attention)
    for index, (_, names) in enumerate(categorical):
        tensors[f"categorical_embeddings.{index}.weight"] = random.normal(size=(len(names) + 1, 4))
    tensors = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    configuration = {
        "format_version": 1,
        "vocabulary": list(vocabulary),
        "time_mean": [gap[0]] * times,
        "time_deviation": [gap[1]] * times,
        "dwell": dwell,
        "numeric": [{"name": name, "mean": 0.0, "deviation": 1.0} for name in numeric],
        "categorical": [{"name": name, "vocabulary": list(names)} for name, names in categorical],
    }
    write_safetensors(path, tensors, {"covey.encoder": json.dumps(configuration)})
    return tensors
