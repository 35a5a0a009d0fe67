"""The structs of covey.h, field for field. A test holds sizes, offsets and defaults against the header."""

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
from typing import Any, ClassVar

#: ``covey_progress_fn``.
ProgressFunction = CFUNCTYPE(c_int32, c_void_p, c_char_p, c_double)


class Versioned(Structure):
    """A struct that begins with ``struct_size``; created as its ``COVEY_..._INIT`` macro says."""

    _defaults_: ClassVar[dict[str, Any]] = {}

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"struct_size": sizeof(type(self)), **self._defaults_, **values})


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
    }


class TrainingEpoch(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("loss", c_double),
        ("held_out_loss", c_double),
        ("seconds", c_double),
        ("sequences_per_second", c_double),
    ]


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
