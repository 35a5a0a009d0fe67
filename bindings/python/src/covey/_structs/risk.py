"""The risk of clusters (structs of covey.h)."""

from __future__ import annotations

from ctypes import c_double, c_int32, c_int64, c_size_t

from .base import Versioned


class RiskOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("confidence", c_double),
        ("min_lift", c_double),
        ("min_fraud", c_int64),
        ("known_share", c_double),
        ("shares_over", c_int32),
        ("reserved", c_int32),
    ]
    _defaults_ = {"confidence": 0.95, "min_lift": 3.0, "min_fraud": 3}


class ClusterReport(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("cluster", c_int64),
        ("rank", c_int64),
        ("size", c_int64),
        ("labelled", c_int64),
        ("fraud", c_int64),
        ("labelled_share", c_double),
        ("share", c_double),
        ("share_low", c_double),
        ("share_high", c_double),
        ("lift", c_double),
        ("loss", c_double),
        ("amount", c_double),
        ("first_seen", c_double),
        ("last_seen", c_double),
        ("risky", c_int32),
        ("reserved", c_int32),
    ]
