"""The Bi-LSTM with time attention that turns sequences into vectors (covey.h section 6)."""

from __future__ import annotations

import os
import tempfile
from ctypes import byref, c_void_p
from typing import Any, Mapping, NoReturn, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ._arguments import checked_methods
from ._arrays import choice, path_bytes
from ._errors import InvalidArgumentError, InvalidTypeError
from ._handle import Handle, Native
from ._library import call, library, required_text
from ._rows import with_keys
from ._structs import EmbedOptions
from ._transformer import Transformer, output_of
from .context import Context, running
from .sequences import Sequences
from .training import Callback, TrainingReport, train
from .vocabulary import Vocabulary

_PRECISIONS = {"float32": 0, "bfloat16": 1}


@checked_methods
class SequenceEncoder(Transformer, Handle):
    """An encoder; made by :meth:`train` or :meth:`load`. Immutable: any number of threads may embed with it at once.

    Example::

        encoder = covey.SequenceEncoder.train(sequences, epochs=2, hidden_size=8)
        embeddings = encoder.embed(sequences)
        encoder.save("encoder.safetensors")

    It is a fitted transformer of scikit-learn's, of :class:`Sequences`: it stands in a Pipeline, where ``fit`` does
    nothing, and pickles keep it.

    Model files are safetensors with PyTorch's tensor names; ``examples/python/train_with_pytorch.py`` writes one, too.
    The
    network is described in covey.h: Bi-LSTM (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005) with additive
    attention (Bahdanau et al. 2015) that sees the time features.
    """

    #: How it was trained; None for one that was loaded.
    training: Optional[TrainingReport] = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise InvalidTypeError("a SequenceEncoder is made by SequenceEncoder.load(path) or .train(sequences)")

    @classmethod
    def train(
        cls,
        sequences: Sequences,
        vocabulary: Optional[Vocabulary] = None,
        *,
        categorical_vocabularies: Optional[Mapping[str, Vocabulary]] = None,
        objectives: Union[None, str, Mapping[str, float]] = None,
        checkpoint: Union[None, str, "os.PathLike[Any]"] = None,
        callback: Optional[Callback] = None,
        seed: int = 0,
        context: Optional[Context] = None,
        embedding_size: int = 32,
        category_embedding_size: int = 8,
        hidden_size: int = 64,
        attention_size: int = 64,
        dimension: int = 0,
        epochs: int = 20,
        batch_size: int = 128,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.01,
        clip: float = 1.0,
        warm_up: float = 0.05,
        dropout: float = 0.1,
        unknown: float = 0.02,
        mask_share: float = 0.15,
        slices: int = 4,
        margin: float = 0.5,
        held_out: float = 0.05,
        patience: int = 5,
        window: int = 1024,
        checkpoint_steps: int = 1000,
        epoch_sequences: int = 20_000,
        **others: NoReturn,
    ) -> "SequenceEncoder":
        """Trains an encoder on the sequences, without labels. The same input, options and seed give the same weights
        for any number of threads.

        Args:
            vocabulary: the event types that it knows; None = all that occur, the most frequent first (see
                :meth:`Vocabulary.build` to leave rare ones out, which then count as unknown).
            categorical_vocabularies: likewise for categorical channels, by name.
            objectives: a name or a mapping of names to weights, of next_event, masked_event, autoencoder and
                contrastive, which covey.h defines; None = next_event and autoencoder, each with weight 1.
            checkpoint: a file in which the state is kept, so that a training that was killed goes on where it was.
            callback: called with a :class:`TrainingProgress` after each epoch and about once a second; a true result
                stops the training.
            embedding_size: of an event type; category_embedding_size: of an entry of a categorical channel;
                hidden_size: units a direction; attention_size: each 1 to 4,096.
            dimension: of an embedding, 1 to 65,536; 0 = twice hidden_size, without a projection.
            epochs: 1 to 1,000,000. batch_size: sequences a step, 1 to 65,536.
            learning_rate: the highest, > 0; it rises over the share warm_up (0 to 1) of the steps, then falls.
                weight_decay: times the learning rate, 0 to 1. clip: of the gradient's norm, > 0.
            dropout: share of the states that predictions do not see, 0 to below 1. unknown: share of the events shown
                as unknown, 0 to below 1, which trains that entry.
            mask_share: of masked_event, above 0 and below 1. slices: views of contrastive, 2 to 64. margin: of
                contrastive, > 0.
            held_out: share of the sequences that measure, 0 to below 1. patience: the training stops after so many
                epochs without a better held-out loss; 0 = never.
            window: events that one step backs through, 2 to 1,000,000. checkpoint_steps: between two writes of
                `checkpoint`.
            epoch_sequences: the most sequences of an epoch, drawn anew for each; 0 = all. It bounds the time, however
                many sequences there are.

        ``training`` of the encoder says how it went. A training that is stopped, or whose loss is no longer finite,
        raises
        ``CoveyError`` with the report in its attribute ``training``, which has the best encoder so far. Errors:
        INVALID_ARGUMENT, INVALID_DATA, MISMATCH (another training's checkpoint), CORRUPT_FILE, IO, OUT_OF_MEMORY,
        CANCELLED."""
        named: dict[str, Any] = {
            "embedding_size": embedding_size, "category_embedding_size": category_embedding_size,
            "hidden_size": hidden_size, "attention_size": attention_size, "dimension": dimension, "epochs": epochs,
            "batch_size": batch_size, "learning_rate": learning_rate, "weight_decay": weight_decay, "clip": clip,
            "warm_up": warm_up, "dropout": dropout, "unknown": unknown, "mask_share": mask_share, "slices": slices,
            "margin": margin, "held_out": held_out, "patience": patience, "window": window,
            "checkpoint_steps": checkpoint_steps, "epoch_sequences": epoch_sequences,
            "objectives": objectives, "checkpoint": checkpoint, "seed": seed, **others,
        }  # fmt: skip
        return train(cls, sequences, vocabulary, categorical_vocabularies, callback, context, named)

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> "SequenceEncoder":
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

    def save(self, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> None:
        """Writes the model file whole or not at all: a temporary file beside `path`, synced and renamed. A file that is
        replaced keeps its mode and owner; a symbolic link is followed. Errors: IO, OUT_OF_MEMORY, CANCELLED."""
        with running(context) as native:
            call("covey_encoder_save", self._handle(), native, path_bytes(path))

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
        self, sequences: Sequences, *, context: Optional[Context] = None, precision: str = "float32"
    ) -> NDArray[np.float32]:
        """One embedding a sequence: n x d float32; zeros for an empty sequence. Rows of sequences with keys carry them
        (``.keys``, ``.key_name``), and what is joined with them is compared by key. The same bytes for any number of
        threads and in whatever batch a sequence is embedded. O(events * hidden^2).

        precision: "float32", or "bfloat16", about twice as fast where the processor has AVX512_BF16 (on others it is
        float32) and within 2e-3; covey.h says what is rounded.

        Errors: INVALID_ARGUMENT (precision), INVALID_DATA (offsets, times, dwell, infinite channels), MISMATCH
        (channels, dwell), OUT_OF_MEMORY, CANCELLED."""
        embeddings = self._run(sequences, context, precision, attention=False)[0]
        return with_keys(embeddings, sequences.keys, sequences.key_name)

    def fit(self, X: Any = None, y: Any = None) -> "SequenceEncoder":
        """Nothing: an encoder is trained by :meth:`train`."""
        return self

    def transform(self, X: Sequences) -> Any:
        """:meth:`embed`; a frame where ``set_output`` asks for one."""
        return output_of(self, self.embed(X), None)

    def fit_transform(self, X: Sequences, y: Any = None) -> Any:
        """:meth:`transform`."""
        return self.transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """ "embedding[0]", "embedding[1]", ..."""
        return np.array([f"embedding[{index}]" for index in range(self.dimension)], dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """None: what it was trained with is in its weights."""
        return {}

    def set_params(self, **parameters: Any) -> "SequenceEncoder":
        for name in parameters:
            raise InvalidArgumentError(f"{name!r} is not a parameter of a SequenceEncoder, which has none")
        return self

    def __sklearn_clone__(self) -> "SequenceEncoder":
        return self  # it is immutable, and a clone without its weights would be of no use

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __reduce__(self) -> Any:
        self._handle()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "encoder")
            self.save(path)
            with open(path, "rb") as file:
                return _restore, (file.read(), self.__dict__.get("_sklearn_output_config"))

    def attention(
        self, sequences: Sequences, *, context: Optional[Context] = None, precision: str = "float32"
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


def _restore(data: bytes, output: Optional[dict[str, str]]) -> SequenceEncoder:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "encoder")
        with open(path, "wb") as file:
            file.write(data)
        encoder = SequenceEncoder.load(path)
    if output is not None:
        encoder._sklearn_output_config = output
    return encoder
