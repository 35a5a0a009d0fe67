"""The whole road in one call (structs of covey.h)."""

from __future__ import annotations

from ctypes import POINTER, c_double, c_int32, c_int64, c_size_t, c_uint64

from .base import Versioned
from .encoder import TrainingOptions


class FindOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("seed", c_uint64),
        ("known_share", c_double),
        ("shares_over", c_int32),
        ("error_rate", c_int32),
        ("significance", c_double),
        ("confidence", c_double),
        ("min_share", c_double),
        ("min_fraud", c_int64),
        ("permutations", c_int64),
        ("trees", c_int64),
        ("max_rules", c_int64),
        ("min_cluster_size", c_int64),
        ("scaling", c_int32),
        ("search", c_int32),
        ("embedding_weight", c_double),
        ("feature_weight", c_double),
        ("training", POINTER(TrainingOptions)),
    ]
    _defaults_ = {
        "significance": 0.05,
        "confidence": 0.95,
        "min_share": 0.8,
        "min_fraud": 2,
        "permutations": 999,
        "trees": 200,
        "max_rules": 8,
        "min_cluster_size": 5,
        "scaling": 2,
        "search": -1,
        "embedding_weight": 1.0,
        "feature_weight": 1.0,
    }


class RiskyGroup(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("rows", c_int64),
        ("fraud", c_int64),
        ("legitimate", c_int64),
        ("unknown", c_int64),
        ("share", c_double),
        ("share_low", c_double),
        ("share_high", c_double),
        ("lift", c_double),
        ("p_value", c_double),
        ("loss", c_double),
        ("amount", c_double),
        ("first_seen", c_double),
        ("last_seen", c_double),
        ("of_evidence", c_int32),
        ("reserved", c_int32),
    ]
