"""The encoder and its training (structs of covey.h)."""

from __future__ import annotations

from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p

from .base import Versioned


class EmbedOptions(Versioned):
    _fields_ = [("struct_size", c_size_t), ("precision", c_int32), ("reserved", c_int32)]


class TrainingProgress(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("epoch", c_int64),
        ("step", c_int64),
        ("steps", c_int64),
        ("loss", c_double),
        ("held_out_loss", c_double),
        ("sequences_per_second", c_double),
        ("learning_rate", c_double),
    ]


#: ``covey_training_fn``.
TrainingFunction = CFUNCTYPE(c_int32, c_void_p, POINTER(TrainingProgress))


class TrainingOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("embedding_size", c_int64),
        ("category_embedding_size", c_int64),
        ("hidden_size", c_int64),
        ("attention_size", c_int64),
        ("dimension", c_int64),
        ("next_event", c_double),
        ("masked_event", c_double),
        ("autoencoder", c_double),
        ("contrastive", c_double),
        ("epochs", c_int64),
        ("batch_size", c_int64),
        ("learning_rate", c_double),
        ("weight_decay", c_double),
        ("clip", c_double),
        ("warm_up", c_double),
        ("dropout", c_double),
        ("unknown", c_double),
        ("mask_share", c_double),
        ("slices", c_int64),
        ("margin", c_double),
        ("held_out", c_double),
        ("patience", c_int64),
        ("window", c_int64),
        ("seed", c_uint64),
        ("numeric_names", c_void_p),
        ("categorical_names", c_void_p),
        ("categorical_vocabularies", c_void_p),
        ("checkpoint_path", c_char_p),
        ("checkpoint_steps", c_int64),
        ("progress", TrainingFunction),
        ("progress_user_data", c_void_p),
        ("epoch_sequences", c_int64),
    ]
    _defaults_ = {
        "embedding_size": 32,
        "category_embedding_size": 8,
        "hidden_size": 64,
        "attention_size": 64,
        "next_event": 1.0,
        "autoencoder": 1.0,
        "epochs": 20,
        "batch_size": 128,
        "learning_rate": 3e-3,
        "weight_decay": 0.01,
        "clip": 1.0,
        "warm_up": 0.05,
        "dropout": 0.1,
        "unknown": 0.02,
        "mask_share": 0.15,
        "slices": 4,
        "margin": 0.5,
        "held_out": 0.05,
        "patience": 5,
        "window": 1024,
        "checkpoint_steps": 1000,
        "epoch_sequences": 20_000,
    }


class TrainingEpoch(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("loss", c_double),
        ("held_out_loss", c_double),
        ("seconds", c_double),
        ("sequences_per_second", c_double),
    ]
