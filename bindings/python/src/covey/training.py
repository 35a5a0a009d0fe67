"""Training an encoder without labels (covey.h section 6)."""

from __future__ import annotations

import dataclasses
from ctypes import byref, c_char_p, c_void_p, cast
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional

import numpy as np

from . import _structs
from ._html import Shown
from ._arrays import c_string, integer, path_bytes, real
from ._channels import Types
from ._errors import CoveyError, InvalidArgumentError, InvalidDataError, InvalidTypeError, MismatchError
from ._handle import Native
from ._library import call, library
from ._trees import pandas
from .context import Context, running
from .sequences import Sequences
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    from .encoder import SequenceEncoder


@dataclasses.dataclass(frozen=True)
class TrainingProgress(Shown):
    """What a running training tells its callback."""

    #: From 1.
    epoch: int
    #: Steps done, and those of all epochs.
    step: int
    steps: int
    #: Mean over the sequences since the epoch began.
    loss: float
    #: At the end of an epoch; otherwise NaN.
    held_out_loss: float
    sequences_per_second: float
    learning_rate: float


@dataclasses.dataclass(frozen=True)
class TrainingEpoch(Shown):
    """An epoch's figures."""

    loss: float
    #: NaN if nothing is held out.
    held_out_loss: float
    seconds: float
    sequences_per_second: float


@dataclasses.dataclass(frozen=True)
class TrainingReport(Shown):
    """How a training went."""

    epochs: list[TrainingEpoch]
    #: Steps done, and the step whose weights the encoder has.
    steps: int
    best_step: int
    #: The encoder with the best weights; None if the training ended before there were any.
    encoder: "Optional[SequenceEncoder]"

    def to_frame(self) -> Any:
        """A pandas DataFrame with one row an epoch."""
        names = [field.name for field in dataclasses.fields(TrainingEpoch)]
        index = pandas().RangeIndex(1, len(self.epochs) + 1, name="epoch")
        return pandas().DataFrame([dataclasses.astuple(epoch) for epoch in self.epochs], columns=names, index=index)

    def plot(self, axis: Any = None) -> Any:
        """The loss of each epoch on a matplotlib axis (None = the current one), which is returned."""
        from .report.plots import plot_training

        return plot_training(self, axis)


#: Called after each epoch, and about once a second.
Callback = Callable[[TrainingProgress], Any]

_OBJECTIVES = ("next_event", "masked_event", "autoencoder", "contrastive")
_INTEGERS = (
    "embedding_size", "category_embedding_size", "hidden_size", "attention_size", "dimension", "epochs", "batch_size",
    "slices", "patience", "window", "checkpoint_steps", "epoch_sequences",
)  # fmt: skip
_REALS = (
    "learning_rate", "weight_decay", "clip", "warm_up", "dropout", "unknown", "mask_share", "margin", "held_out",
)  # fmt: skip


class _Layout:
    """Stands where a model stands: the vocabularies and the channels' names that the sequences themselves have."""

    def __init__(
        self, sequences: Sequences, vocabulary: Optional[Vocabulary], categorical: Optional[Mapping[str, Vocabulary]]
    ) -> None:
        if vocabulary is not None and not isinstance(vocabulary, Vocabulary):
            raise InvalidTypeError(f"vocabulary must be a covey.Vocabulary or None, got {type(vocabulary).__name__}")
        events = slice(int(sequences.offsets[0]), int(sequences.offsets[-1]))
        self.vocabulary = vocabulary or _vocabulary(sequences._types.take(events))
        self.numeric_names = _names(sequences._numeric, "numeric")
        self.categorical_names = _names(sequences._categorical, "categorical")
        given = dict(categorical or {})
        unknown = [name for name in given if name not in self.categorical_names]
        if unknown:
            raise MismatchError(f"categorical_vocabularies: {unknown[0]!r} is not among {self.categorical_names}")
        self.categorical_vocabularies = [
            given[name] if name in given else _vocabulary(values.take(events))
            for name, values in zip(self.categorical_names, sequences._categorical.values)
        ]


def _names(channels: Any, kind: str) -> list[str]:
    names: list[str] = channels.names or [f"{kind} {index}" for index in range(len(channels.values))]
    return names


def _vocabulary(types: Types) -> Vocabulary:
    """The names that occur, the most frequent first, ties by their bytes; for indices their numbers."""
    if types.names is None:
        return _vocabulary_of_integers(types)
    codes = types.codes[types.codes >= 0]
    counts = np.bincount(codes, minlength=len(types.names))
    found = [
        (-int(count), name.encode("utf-8", "surrogatepass"), name)
        for name, count in zip(types.names, counts)
        if count and name
    ]
    return Vocabulary(name for _, _, name in sorted(found))


def _vocabulary_of_integers(types: Types) -> Vocabulary:
    codes = types.codes[types.codes >= 0]
    largest = int(codes.max(initial=0))
    if types.are_indices is not False and largest <= max(1000, len(codes)):
        return Vocabulary(str(index) for index in range(1, largest + 1))
    if types.are_indices:
        raise InvalidDataError(
            f"{types.label} holds the index {largest} among {len(codes)} events: pass a vocabulary, or indices=False"
        )
    values, counts = np.unique(codes, return_counts=True)  # codes: only those that occur
    order = sorted(zip(-counts, map(str, values.tolist())))
    return Vocabulary(name for _, name in order)


def _options(options: dict[str, Any]) -> _structs.TrainingOptions:
    struct = _structs.TrainingOptions()
    objectives = options.pop("objectives")
    if objectives is not None:
        if isinstance(objectives, str):
            objectives = {objectives: 1.0}
        if not isinstance(objectives, Mapping):
            raise InvalidTypeError(f"objectives must be a name or a mapping of names to weights, got {objectives!r}")
        for name in objectives:
            if name not in _OBJECTIVES:
                raise InvalidArgumentError(f"objectives must be among {list(_OBJECTIVES)}, got {name!r}")
        for name in _OBJECTIVES:
            setattr(struct, name, real(objectives.get(name, 0.0), name))
    for name in _INTEGERS:
        if name in options:
            setattr(struct, name, integer(options.pop(name), name))
    for name in _REALS:
        if name in options:
            setattr(struct, name, real(options.pop(name), name))
    struct.seed = integer(options.pop("seed"), "seed", signed=False)
    checkpoint = options.pop("checkpoint")
    if checkpoint is not None:
        struct.checkpoint_path = path_bytes(checkpoint)
    if options:
        raise InvalidArgumentError(f"{next(iter(options))!r} is not an option of training")
    return struct


def layout_of(sequences: Sequences) -> Any:
    """What stands where an encoder stands: the vocabulary of the sequences' own events."""
    return _Layout(sequences, None, None)


def training_options(options: dict[str, Any]) -> _structs.TrainingOptions:
    """The struct of options by name."""
    return _options({"objectives": None, "checkpoint": None, "seed": 0, **options})


def _strings(texts: list[str], name: str) -> Any:
    return (c_char_p * len(texts))(*[c_string(text, f"{name}[{index}]") for index, text in enumerate(texts)])


def train(
    kind: "type[SequenceEncoder]",
    sequences: Sequences,
    vocabulary: Optional[Vocabulary],
    categorical_vocabularies: Optional[Mapping[str, Vocabulary]],
    callback: Optional[Callback],
    context: Optional[Context],
    options: dict[str, Any],
) -> "SequenceEncoder":
    """`SequenceEncoder.train`."""
    if not isinstance(sequences, Sequences):
        raise InvalidTypeError(f"sequences must be a covey.Sequences, got {type(sequences).__name__}")
    if callback is not None and not callable(callback):
        raise InvalidTypeError(f"callback must be callable or None, got {type(callback).__name__}")
    struct = _options(options)
    layout: Any = _Layout(sequences, vocabulary, categorical_vocabularies)
    batch, borrowed = sequences._native(layout)
    handles = [item._handle() for item in layout.categorical_vocabularies]
    vocabularies = (c_void_p * len(handles))(*[handle.address for handle in handles])
    numeric, categorical = _strings(layout.numeric_names, "numeric"), _strings(layout.categorical_names, "categorical")
    struct.numeric_names = cast(numeric, c_void_p)
    struct.categorical_names = cast(categorical, c_void_p)
    struct.categorical_vocabularies = cast(vocabularies, c_void_p)
    failures: list[BaseException] = []

    def report(_: Any, told: Any) -> int:
        try:
            fields = {field.name: getattr(told.contents, field.name) for field in dataclasses.fields(TrainingProgress)}
            return 1 if callback is not None and callback(TrainingProgress(**fields)) else 0
        except BaseException as failure:
            failures.append(failure)
            return 1

    if callback is not None:
        struct.progress = _structs.TrainingFunction(report)
    pointer, training = c_void_p(), c_void_p()
    try:
        with running(context) as native:
            call(
                "covey_encoder_train",
                native,
                byref(batch),
                layout.vocabulary._handle(),
                byref(struct),
                byref(pointer),
                byref(training),
            )
    except CoveyError as error:
        if training.value is not None:
            error.training = _report(kind, training, None)
        if failures:
            raise failures[0] from None
        raise
    del borrowed, handles
    encoder = kind._wrap(Native(pointer.value, "covey_encoder_destroy"))
    encoder.training = _report(kind, training, encoder)
    return encoder


def _report(kind: "type[SequenceEncoder]", training: c_void_p, encoder: "Optional[SequenceEncoder]") -> TrainingReport:
    """Takes the report's handle over."""
    owner = Native(training.value, "covey_training_destroy")
    epochs = []
    for index in range(library.covey_training_epochs(owner)):
        epoch = _structs.TrainingEpoch()
        call("covey_training_get", owner, index, byref(epoch))
        epochs.append(
            TrainingEpoch(**{field.name: getattr(epoch, field.name) for field in dataclasses.fields(TrainingEpoch)})
        )
    if encoder is None:
        borrowed = library.covey_training_encoder(owner)
        encoder = kind._wrap(Native(borrowed, None, keep=owner)) if borrowed else None
    return TrainingReport(epochs, library.covey_training_steps(owner), library.covey_training_best_step(owner), encoder)
