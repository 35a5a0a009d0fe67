"""The Bi-LSTM with time attention that turns sequences into vectors (covey.h section 6)."""

from __future__ import annotations

import os
from ctypes import byref, c_void_p
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ._arrays import choice, path_bytes
from ._errors import InvalidTypeError
from ._handle import Handle, Native
from ._library import call, library, required_text
from ._structs import EmbedOptions
from .context import Context, running
from .sequences import Sequences
from .vocabulary import Vocabulary

_PRECISIONS = {"float32": 0, "bfloat16": 1}


class SequenceEncoder(Handle):
    """A trained encoder; made by :meth:`load`. Immutable: any number of threads may embed with it at once.

    Model files are safetensors with PyTorch's tensor names; ``examples/python/train_with_pytorch.py`` writes one. The
    network is described in covey.h: Bi-LSTM (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005) with additive
    attention (Bahdanau et al. 2015) that sees the time features.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise InvalidTypeError("a SequenceEncoder is made by SequenceEncoder.load(path)")

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[Any]"], context: Optional[Context] = None) -> "SequenceEncoder":
        """Reads a model file. Errors: IO, CORRUPT_FILE (names the tensor or the entry), UNSUPPORTED (a newer format),
        OUT_OF_MEMORY."""
        pointer = c_void_p()
        with running(context) as native:
            call("covey_load_model", native, path_bytes(path), byref(pointer))
        return cls._wrap(Native(pointer.value, "covey_encoder_destroy"))

    @classmethod
    def _wrap(cls, native: Native) -> "SequenceEncoder":
        encoder = cls.__new__(cls)
        encoder._native = native
        return encoder

    def save(self, path: Union[str, "os.PathLike[Any]"]) -> None:
        """Writes the model file whole or not at all: a temporary file beside `path`, synced and renamed. Errors: IO."""
        call("covey_encoder_save", self._handle(), path_bytes(path))

    @property
    def dimension(self) -> int:
        """d, the length of an embedding."""
        return int(library.covey_encoder_dimension(self._handle()))

    @property
    def uses_dwell(self) -> bool:
        """Whether a batch must have dwell."""
        return bool(library.covey_encoder_uses_dwell(self._handle()))

    @property
    def vocabulary(self) -> Vocabulary:
        """The event types it knows."""
        handle = self._handle()
        return Vocabulary._wrap(Native(library.covey_encoder_vocabulary(handle), None, keep=handle))

    @property
    def numeric_names(self) -> list[str]:
        """The numeric channels that a batch must have."""
        handle = self._handle()
        count = library.covey_encoder_numeric_count(handle)
        return [required_text(library.covey_encoder_numeric_name(handle, index)) for index in range(count)]

    @property
    def categorical_names(self) -> list[str]:
        """The categorical channels that a batch must have."""
        handle = self._handle()
        count = library.covey_encoder_categorical_count(handle)
        return [required_text(library.covey_encoder_categorical_name(handle, index)) for index in range(count)]

    @property
    def categorical_vocabularies(self) -> list[Vocabulary]:
        """The vocabulary of each categorical channel."""
        handle = self._handle()
        count = library.covey_encoder_categorical_count(handle)
        pointers = [library.covey_encoder_categorical_vocabulary(handle, index) for index in range(count)]
        return [Vocabulary._wrap(Native(pointer, None, keep=handle)) for pointer in pointers]

    def embed(
        self, sequences: Sequences, context: Optional[Context] = None, precision: str = "float32"
    ) -> NDArray[np.float32]:
        """One embedding a sequence: n x d float32; zeros for an empty sequence. The same bytes for any number of
        threads and in whatever batch a sequence is embedded. O(events * hidden^2).

        precision: "float32", or "bfloat16", about twice as fast where the processor has AVX512_BF16 (on others it is
        float32) and within 2e-3; covey.h says what is rounded.

        Errors: INVALID_ARGUMENT (precision), INVALID_DATA (offsets, times, dwell, infinite channels), MISMATCH (channels, dwell), OUT_OF_MEMORY,
        CANCELLED."""
        return self._run(sequences, context, precision, attention=False)[0]

    def attention(
        self, sequences: Sequences, context: Optional[Context] = None, precision: str = "float32"
    ) -> list[NDArray[np.float32]]:
        """The attention weight of each event: a list of n float32 arrays, events in their given order, each array
        summing to 1 (an empty one for an empty sequence). The arrays share one buffer. Precision, cost and
        errors as :meth:`embed`."""
        weights = self._run(sequences, context, precision, attention=True)[1]
        return np.split(weights, sequences.offsets[1:-1] - sequences.offsets[0]) if len(sequences) else []

    def _run(
        self, sequences: Sequences, context: Optional[Context], precision: str, attention: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if not isinstance(sequences, Sequences):
            raise InvalidTypeError(f"sequences must be a covey.Sequences, got {type(sequences).__name__}")
        options = EmbedOptions(precision=choice(precision, "precision", _PRECISIONS))
        handle = self._handle()
        struct, borrowed = sequences._native(self)
        embeddings = np.empty((len(sequences), self.dimension), dtype=np.float32)
        weights = np.empty(sequences.event_count if attention else 0, dtype=np.float32)
        with running(context) as native:
            call(
                "covey_embed_sequences_with",
                handle,
                native,
                byref(struct),
                byref(options),
                embeddings.ctypes.data,
                0,
                weights.ctypes.data if attention else None,
            )
        del borrowed
        return embeddings, weights

    def __repr__(self) -> str:
        return "SequenceEncoder(closed)" if self.closed else f"SequenceEncoder(dimension={self.dimension})"
