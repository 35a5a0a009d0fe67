"""Rules, their exports and backtests (structs of covey.h)."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p

from .base import Versioned


class RuleFeature(Versioned):
    _fields_ = [("struct_size", c_size_t), ("feature", c_char_p), ("use", c_int32), ("direction", c_int32)]


class FeaturePair(Structure):
    _fields_ = [("first", c_char_p), ("second", c_char_p), ("kind", c_int32), ("reserved", c_int32)]


class RulesOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("max_conditions", c_int64),
        ("max_rules", c_int64),
        ("min_support", c_int64),
        ("min_precision", c_double),
        ("min_lift", c_double),
        ("max_bins", c_int64),
        ("beam_width", c_int64),
        ("held_out", c_double),
        ("confidence", c_double),
        ("times", c_void_p),
        ("seed", c_uint64),
        ("target_name", c_char_p),
        ("weights", c_void_p),
        ("amounts", c_void_p),
        ("quality", c_int32),
        ("reserved", c_int32),
        ("beta", c_double),
        ("features", c_void_p),
        ("feature_count", c_int64),
        ("pinned", c_void_p),
        ("pinned_count", c_int64),
        ("given", c_void_p),
        ("rounding", c_double),
        ("significance", c_double),
        ("permutations", c_int64),
        ("resamples", c_int64),
        ("min_stability", c_double),
        ("age_to", c_char_p),
        ("pairs", c_void_p),
        ("pair_count", c_int64),
    ]
    _defaults_ = {
        "max_conditions": 3,
        "max_rules": 8,
        "min_support": 10,
        "min_precision": 0.5,
        "min_lift": 2.0,
        "max_bins": 64,
        "beam_width": 64,
        "held_out": 0.3,
        "confidence": 0.95,
        "significance": 0.05,
    }


class RuleReport(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("condition_count", c_int64),
        ("matched", c_int64),
        ("support", c_int64),
        ("precision", c_double),
        ("precision_low", c_double),
        ("precision_high", c_double),
        ("recall", c_double),
        ("lift", c_double),
        ("search_matched", c_int64),
        ("search_support", c_int64),
        ("search_precision", c_double),
        ("search_recall", c_double),
        ("search_lift", c_double),
        ("recall_low", c_double),
        ("recall_high", c_double),
        ("search_precision_low", c_double),
        ("search_precision_high", c_double),
        ("search_recall_low", c_double),
        ("search_recall_high", c_double),
        ("matched_weight", c_double),
        ("support_weight", c_double),
        ("search_matched_weight", c_double),
        ("search_support_weight", c_double),
        ("amount", c_double),
        ("false_amount", c_double),
        ("search_amount", c_double),
        ("search_false_amount", c_double),
        ("p_value", c_double),
        ("search_p_value", c_double),
        ("stability", c_double),
        ("given", c_int32),
        ("measured", c_int32),
        ("stated_precision", c_double),
    ]


class Condition(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("feature", c_char_p),
        ("low", c_double),
        ("high", c_double),
        ("categories", POINTER(c_char_p)),
        ("category_count", c_int64),
        ("kind", c_int32),
        ("reserved", c_int32),
        ("derived", c_int32),
        ("reserved2", c_int32),
        ("first", c_char_p),
        ("second", c_char_p),
    ]


class ExportOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("dialect", c_int32),
        ("timestamps", c_int32),
        ("time_zone", c_char_p),
        ("table", c_char_p),
        ("schema", c_char_p),
        ("catalog", c_char_p),
        ("name", c_char_p),
    ]


class BacktestOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("amounts", c_void_p),
        ("times", c_void_p),
        ("outcomes", c_void_p),
        ("outcome_count", c_int64),
        ("period", c_double),
        ("confidence", c_double),
        ("live", c_void_p),
        ("shadow", c_void_p),
    ]
    _defaults_ = {"period": 604800.0, "confidence": 0.95}


class BacktestReport(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("rows", c_int64),
        ("fraud", c_int64),
        ("legitimate", c_int64),
        ("amount", c_double),
        ("fraud_amount", c_double),
        ("legitimate_amount", c_double),
        ("precision", c_double),
        ("precision_low", c_double),
        ("precision_high", c_double),
        ("recall", c_double),
        ("recall_low", c_double),
        ("recall_high", c_double),
        ("added_rows", c_int64),
        ("added_fraud", c_int64),
        ("added_legitimate", c_int64),
        ("added_amount", c_double),
        ("added_fraud_amount", c_double),
        ("added_legitimate_amount", c_double),
        ("decay_p", c_double),
        ("hit_rate_p", c_double),
        ("recent_rows", c_int64),
        ("recent_fraud", c_int64),
        ("recent_legitimate", c_int64),
        ("retire", c_int32),
        ("reserved", c_int32),
    ]
