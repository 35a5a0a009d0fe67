"""Explanations of scores (structs of covey.h)."""

from __future__ import annotations

from ctypes import c_double, c_int32, c_int64, c_size_t, c_uint64

from .base import Versioned


class ExplainOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("explained", c_int32),
        ("method", c_int32),
        ("cluster", c_int64),
        ("largest_parts", c_int64),
        ("permutations", c_int64),
        ("largest_steps", c_int64),
        ("seed", c_uint64),
        ("features", c_int32),
        ("faithfulness", c_int32),
        ("sensitivity", c_int32),
        ("reserved", c_int32),
    ]
    _defaults_ = {
        "explained": 4,
        "method": -1,
        "cluster": -1,
        "largest_parts": 256,
        "permutations": 32,
        "largest_steps": 256,
        "features": 1,
        "faithfulness": 1,
    }


class Explanation(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("cluster", c_int64),
        ("exemplar", c_int64),
        ("value", c_double),
        ("base", c_double),
        ("residual", c_double),
        ("events", c_int64),
        ("parts", c_int64),
        ("features", c_int64),
        ("steps", c_int64),
        ("comprehensiveness", c_double),
        ("sufficiency", c_double),
        ("difference", c_double),
        ("preservation", c_double),
        ("infidelity", c_double),
        ("sensitivity", c_double),
        ("method", c_int32),
        ("explained", c_int32),
    ]
