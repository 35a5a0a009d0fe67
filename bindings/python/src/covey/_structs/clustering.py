"""Hybrid rows, clustering and its trees (structs of covey.h)."""

from __future__ import annotations

from ctypes import Structure, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p

from .base import Versioned


class HybridOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("scaling", c_int32),
        ("missing", c_int32),
        ("embedding_components", c_int64),
        ("embedding_weight", c_double),
        ("feature_weight", c_double),
        ("clip", c_double),
        ("column_weights", c_void_p),
    ]
    _defaults_ = {"scaling": 2, "missing": 1, "embedding_weight": 1.0, "feature_weight": 1.0, "clip": 10.0}


class ClusterOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("min_cluster_size", c_int64),
        ("min_samples", c_int64),
        ("max_cluster_size", c_int64),
        ("cluster_selection_epsilon", c_double),
        ("alpha", c_double),
        ("metric", c_int32),
        ("selection", c_int32),
        ("allow_single_cluster", c_int32),
        ("search", c_int32),
        ("missing", c_int32),
        ("prediction", c_int32),
        ("seed", c_uint64),
        ("cluster_selection_epsilon_max", c_double),
        ("cluster_selection_persistence", c_double),
        ("clusters", c_int64),
        ("match_reference", c_int32),
        ("strengths", c_int32),
        ("weights", c_void_p),
        ("index", c_char_p),
        ("index_search", c_char_p),
    ]
    _defaults_ = {"min_cluster_size": 5, "alpha": 1.0}


class Edge(Structure):
    _fields_ = [("from", c_int64), ("to", c_int64), ("distance", c_double)]


class RowPair(Structure):
    _fields_ = [("first", c_int64), ("second", c_int64)]


class Merge(Structure):
    _fields_ = [("left", c_int64), ("right", c_int64), ("distance", c_double), ("size", c_int64)]


class CondensedEdge(Structure):
    _fields_ = [("parent", c_int64), ("child", c_int64), ("lambda", c_double), ("size", c_int64)]
