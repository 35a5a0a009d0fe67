"""Counterfactuals (structs of covey.h)."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_size_t, c_void_p, sizeof

from .base import Versioned


class ChangeLimit(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("cost", c_double),
        ("low", c_double),
        ("high", c_double),
        ("categories", c_void_p),
        ("category_count", c_int64),
        ("has_low", c_int32),
        ("has_high", c_int32),
        ("immutable", c_int32),
        ("reserved", c_int32),
    ]


class CounterfactualOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("limit_size", c_size_t),
        ("limits", POINTER(ChangeLimit)),
        ("limit_count", c_int64),
        ("risk_below", c_double),
        ("answers", c_int64),
        ("max_changes", c_int64),
        ("max_removed", c_int64),
        ("event_cost", c_double),
        ("max_evaluations", c_int64),
        ("goal", c_int32),
        ("others_immutable", c_int32),
    ]
    _defaults_ = {"limit_size": sizeof(ChangeLimit), "answers": 3, "event_cost": 1.0, "max_evaluations": 10000}


class Counterfactual(Versioned):
    _fields_ = [("struct_size", c_size_t), ("cost", c_double), ("changes", c_int64), ("removed", c_int64)]


class Change(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("old_category", c_char_p),
        ("new_category", c_char_p),
        ("old_value", c_double),
        ("new_value", c_double),
        ("cost", c_double),
        ("unit", c_double),
        ("kind", c_int32),
        ("reserved", c_int32),
    ]
