"""What the makers of the encoder's and the training's fixtures share: the attention, and safetensors files."""

import json
import struct

import numpy as np
from torch import nn

TYPES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64"}


def write_safetensors(path, arrays, metadata):
    header, parts, offset = {"__metadata__": metadata}, [], 0
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": TYPES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


class Attention(nn.Module):
    def __init__(self, states, times, size):
        super().__init__()
        self.hidden = nn.Linear(states, size)
        self.time = nn.Linear(times, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)
