"""The engine, its sessions and scores (structs of covey.h)."""

from __future__ import annotations

from ctypes import c_double, c_int32, c_int64, c_size_t, c_void_p

from .base import Versioned


class EngineParts(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("encoder", c_void_p),
        ("hybrid", c_void_p),
        ("clustering", c_void_p),
        ("risk", c_void_p),
        ("rules", c_void_p),
        ("rule_clusters", c_void_p),
        ("rule_count", c_int64),
    ]


class Event(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("type", c_int32),
        ("reserved", c_int32),
        ("time", c_double),
        ("dwell", c_void_p),
        ("numeric", c_void_p),
        ("categorical", c_void_p),
        ("numeric_count", c_int64),
        ("categorical_count", c_int64),
    ]


class SessionState(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("events", c_int64),
        ("largest_events", c_int64),
        ("total", c_int64),
        ("unknown", c_int64),
    ]


class ScoreOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("bad_rows", c_int32),
        ("reserved", c_int32),
        ("max_events", c_int64),
        ("seconds", c_double),
    ]


class Score(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("cluster", c_int64),
        ("strength", c_double),
        ("risk", c_double),
        ("rule_count", c_int64),
        ("reason_count", c_int64),
        ("risky", c_int32),
        ("has_evidence", c_int32),
        ("evidence", c_double * 5),
        ("group", c_int64),
    ]
