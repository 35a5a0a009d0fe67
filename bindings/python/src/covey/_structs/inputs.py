"""The context, matrices, tables and sequences (structs of covey.h)."""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_int32,
    c_int64,
    c_size_t,
    c_uint64,
    c_void_p,
    sizeof,
)
from typing import Any

from .base import Versioned


#: ``covey_progress_fn``.
ProgressFunction = CFUNCTYPE(c_int32, c_void_p, c_char_p, c_double)


class ContextOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_int32),
        ("reserved", c_int32),
        ("memory_budget", c_uint64),
        ("progress", ProgressFunction),
        ("progress_user_data", c_void_p),
    ]


class Matrix(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("data", c_void_p),
        ("rows", c_int64),
        ("columns", c_int64),
        ("row_stride", c_int64),
        ("type", c_int32),
        ("reserved", c_int32),
    ]
    _defaults_ = {"columns": 1}


class Column(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("values", c_void_p),
        ("stride", c_int64),
        ("categories", c_void_p),
        ("category_count", c_int64),
        ("kind", c_int32),
        ("reserved", c_int32),
    ]


ColumnPointer: Any = POINTER(Column)


class ArrowOptions(Versioned):
    _fields_ = [("struct_size", c_size_t), ("names", c_void_p), ("name_count", c_int64)]


class Table(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("column_size", c_size_t),
        ("rows", c_int64),
        ("column_count", c_int64),
        ("columns", ColumnPointer),
    ]
    _defaults_ = {"column_size": sizeof(Column)}


class Channel(Structure):
    _fields_ = [("values", c_void_p), ("stride", c_int64)]


ChannelPointer: Any = POINTER(Channel)


class Sequences(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("channel_size", c_size_t),
        ("count", c_int64),
        ("offsets", c_void_p),
        ("types", c_void_p),
        ("times", c_void_p),
        ("dwell", c_void_p),
        ("numeric", ChannelPointer),
        ("categorical", ChannelPointer),
        ("numeric_count", c_int64),
        ("categorical_count", c_int64),
        ("types_stride", c_int64),
        ("times_stride", c_int64),
        ("dwell_stride", c_int64),
    ]
    _defaults_ = {"channel_size": sizeof(Channel)}
