"""The functions of covey.h in its order: result type and argument types. A test holds them against the header."""

from __future__ import annotations

from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_void_p
from typing import Any

from . import _structs as s

_HANDLE = c_void_p
_OUT = POINTER(c_void_p)  # covey_x **
_BUFFER = c_void_p
_ERROR = POINTER(c_void_p)
_MATRIX = POINTER(s.Matrix)
_TABLE = POINTER(s.Table)
_SEQUENCES = POINTER(s.Sequences)
_TEXT = c_char_p
_TEXT_OUT = POINTER(c_char_p)
_STATUS = c_int32

#: name -> (result, arguments)
PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "covey_version": (_TEXT, ()),
    "covey_version_number": (c_int32, ()),
    "covey_status_name": (_TEXT, (_STATUS,)),
    "covey_error_code": (_STATUS, (_HANDLE,)),
    "covey_error_message": (_TEXT, (_HANDLE,)),
    "covey_error_destroy": (None, (_HANDLE,)),
    "covey_context_create": (_STATUS, (POINTER(s.ContextOptions), _OUT, _ERROR)),
    "covey_cancel": (None, (_HANDLE,)),
    "covey_context_destroy": (None, (_HANDLE,)),
    "covey_bytes_data": (c_void_p, (_HANDLE,)),
    "covey_bytes_size": (c_int64, (_HANDLE,)),
    "covey_bytes_destroy": (None, (_HANDLE,)),
    "covey_arrow_table_import": (_STATUS, (_HANDLE, c_void_p, c_void_p, _OUT, _ERROR)),
    "covey_arrow_table_import_batches": (
        _STATUS,
        (_HANDLE, c_void_p, _OUT, c_int64, POINTER(s.ArrowOptions), _OUT, _ERROR),
    ),
    "covey_arrow_table_import_stream": (_STATUS, (_HANDLE, c_void_p, POINTER(s.ArrowOptions), _OUT, _ERROR)),
    "covey_arrow_table_view": (_TABLE, (_HANDLE,)),
    "covey_arrow_table_destroy": (None, (_HANDLE,)),
    "covey_arrow_matrix": (_STATUS, (c_void_p, c_void_p, _MATRIX, _ERROR)),
    "covey_vocabulary_create": (_STATUS, (_HANDLE, _BUFFER, c_int64, _OUT, _ERROR)),
    "covey_vocabulary_build": (_STATUS, (_HANDLE, _BUFFER, c_int64, c_int64, c_int64, _OUT, _ERROR)),
    "covey_vocabulary_size": (c_int64, (_HANDLE,)),
    "covey_vocabulary_name": (_TEXT, (_HANDLE, c_int64)),
    "covey_vocabulary_lookup": (_STATUS, (_HANDLE, _BUFFER, c_int64, _BUFFER, _ERROR)),
    "covey_vocabulary_destroy": (None, (_HANDLE,)),
    "covey_load_model": (_STATUS, (_HANDLE, _TEXT, _OUT, _ERROR)),
    "covey_encoder_save": (_STATUS, (_HANDLE, _HANDLE, _TEXT, _ERROR)),
    "covey_encoder_dimension": (c_int64, (_HANDLE,)),
    "covey_encoder_vocabulary": (_HANDLE, (_HANDLE,)),
    "covey_encoder_uses_dwell": (c_int32, (_HANDLE,)),
    "covey_encoder_numeric_count": (c_int64, (_HANDLE,)),
    "covey_encoder_categorical_count": (c_int64, (_HANDLE,)),
    "covey_encoder_numeric_name": (_TEXT, (_HANDLE, c_int64)),
    "covey_encoder_categorical_name": (_TEXT, (_HANDLE, c_int64)),
    "covey_encoder_categorical_vocabulary": (_HANDLE, (_HANDLE, c_int64)),
    "covey_embed_sequences": (_STATUS, (_HANDLE, _HANDLE, _SEQUENCES, _BUFFER, c_int64, _BUFFER, _ERROR)),
    "covey_embed_sequences_with": (
        _STATUS,
        (_HANDLE, _HANDLE, _SEQUENCES, POINTER(s.EmbedOptions), _BUFFER, c_int64, _BUFFER, _ERROR),
    ),
    "covey_encoder_destroy": (None, (_HANDLE,)),
    "covey_encoder_train": (
        _STATUS,
        (_HANDLE, _SEQUENCES, _HANDLE, POINTER(s.TrainingOptions), _OUT, _OUT, _ERROR),
    ),
    "covey_training_encoder": (_HANDLE, (_HANDLE,)),
    "covey_training_steps": (c_int64, (_HANDLE,)),
    "covey_training_best_step": (c_int64, (_HANDLE,)),
    "covey_training_epochs": (c_int64, (_HANDLE,)),
    "covey_training_get": (_STATUS, (_HANDLE, c_int64, POINTER(s.TrainingEpoch), _ERROR)),
    "covey_training_destroy": (None, (_HANDLE,)),
    "covey_hybrid_fit": (_STATUS, (_HANDLE, _MATRIX, _TABLE, POINTER(s.HybridOptions), _OUT, _ERROR)),
    "covey_hybrid_dimension": (c_int64, (_HANDLE,)),
    "covey_hybrid_column_name": (_TEXT, (_HANDLE, c_int64)),
    "covey_hybrid_transform": (_STATUS, (_HANDLE, _HANDLE, _MATRIX, _TABLE, _BUFFER, c_int64, _ERROR)),
    "covey_hybrid_save": (_STATUS, (_HANDLE, _HANDLE, _TEXT, _ERROR)),
    "covey_hybrid_load": (_STATUS, (_HANDLE, _TEXT, _OUT, _ERROR)),
    "covey_hybrid_write": (_STATUS, (_HANDLE, _HANDLE, _OUT, _ERROR)),
    "covey_hybrid_read": (_STATUS, (_HANDLE, _BUFFER, c_int64, _OUT, _ERROR)),
    "covey_hybrid_destroy": (None, (_HANDLE,)),
    "covey_cluster_matrix": (_STATUS, (_HANDLE, _MATRIX, POINTER(s.ClusterOptions), _OUT, _ERROR)),
    "covey_clustering_rows": (c_int64, (_HANDLE,)),
    "covey_clustering_clusters": (c_int64, (_HANDLE,)),
    "covey_clustering_columns": (c_int64, (_HANDLE,)),
    "covey_clustering_options": (_STATUS, (_HANDLE, POINTER(s.ClusterOptions), _ERROR)),
    "covey_clustering_fitted_rows": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_recall": (c_double, (_HANDLE,)),
    "covey_clustering_labels": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_probabilities": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_outlier_scores": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_persistence": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_edge_count": (c_int64, (_HANDLE,)),
    "covey_clustering_condensed_count": (c_int64, (_HANDLE,)),
    "covey_clustering_spanning_tree": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_single_linkage_tree": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_condensed_tree": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_selected_nodes": (_STATUS, (_HANDLE, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_exemplar_count": (c_int64, (_HANDLE, c_int64)),
    "covey_clustering_exemplars": (_STATUS, (_HANDLE, c_int64, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_predict": (_STATUS, (_HANDLE, _HANDLE, _MATRIX, _BUFFER, _BUFFER, _ERROR)),
    "covey_clustering_place": (
        _STATUS, (_HANDLE, _HANDLE, _MATRIX, _BUFFER, _BUFFER, _BUFFER, _BUFFER, _ERROR),
    ),
    "covey_cluster_distances": (_STATUS, (_HANDLE, _MATRIX, POINTER(s.ClusterOptions), _OUT, _ERROR)),
    "covey_cluster_spanning_tree": (
        _STATUS, (_HANDLE, c_int64, _BUFFER, POINTER(s.ClusterOptions), _OUT, _ERROR),
    ),
    "covey_clustering_cut": (_STATUS, (_HANDLE, _HANDLE, c_double, c_int64, _BUFFER, c_int64, _ERROR)),
    "covey_clustering_membership": (
        _STATUS, (_HANDLE, _HANDLE, _MATRIX, c_int64, _BUFFER, _BUFFER, c_int64, _ERROR),
    ),
    "covey_validity": (
        _STATUS, (_HANDLE, _MATRIX, _BUFFER, c_int32, c_int32, _BUFFER, _BUFFER, c_int64, _ERROR),
    ),
    "covey_clustering_select": (
        _STATUS, (_HANDLE, _HANDLE, POINTER(s.ClusterOptions), _BUFFER, c_int64, _OUT, _ERROR),
    ),
    "covey_clustering_save": (_STATUS, (_HANDLE, _HANDLE, _TEXT, _ERROR)),
    "covey_clustering_load": (_STATUS, (_HANDLE, _TEXT, _OUT, _ERROR)),
    "covey_clustering_write": (_STATUS, (_HANDLE, _HANDLE, _OUT, _ERROR)),
    "covey_clustering_read": (_STATUS, (_HANDLE, _BUFFER, c_int64, _OUT, _ERROR)),
    "covey_clustering_destroy": (None, (_HANDLE,)),
    "covey_cluster_risk": (
        _STATUS,
        (_HANDLE, _BUFFER, _BUFFER, _BUFFER, _BUFFER, c_int64, POINTER(s.RiskOptions), _OUT, _ERROR),
    ),
    "covey_risk_count": (c_int64, (_HANDLE,)),
    "covey_risk_base_rate": (c_double, (_HANDLE,)),
    "covey_risk_get": (_STATUS, (_HANDLE, c_int64, POINTER(s.ClusterReport), _ERROR)),
    "covey_risk_destroy": (None, (_HANDLE,)),
    "covey_extract_rules": (_STATUS, (_HANDLE, _TABLE, _BUFFER, POINTER(s.RulesOptions), _OUT, _ERROR)),
    "covey_rules_count": (c_int64, (_HANDLE,)),
    "covey_rules_tried": (c_int64, (_HANDLE,)),
    "covey_rules_fallen": (c_int64, (_HANDLE,)),
    "covey_rules_get": (_STATUS, (_HANDLE, c_int64, POINTER(s.RuleReport), _ERROR)),
    "covey_rules_text": (_TEXT, (_HANDLE, c_int64)),
    "covey_rules_condition": (_STATUS, (_HANDLE, c_int64, c_int64, POINTER(s.Condition), _ERROR)),
    "covey_rules_condition_text": (_TEXT, (_HANDLE, c_int64, c_int64)),
    "covey_rules_evaluate": (_STATUS, (_HANDLE, _HANDLE, _TABLE, _BUFFER, _BUFFER, _ERROR)),
    "covey_rules_export": (_STATUS, (_HANDLE, _HANDLE, c_int32, _TEXT_OUT, _ERROR)),
    "covey_rules_parse": (_STATUS, (_HANDLE, _TEXT, c_int64, _OUT, _ERROR)),
    "covey_rules_destroy": (None, (_HANDLE,)),
    "covey_engine_build": (_STATUS, (_HANDLE, POINTER(s.EngineParts), _OUT, _ERROR)),
    "covey_engine_load": (_STATUS, (_HANDLE, _TEXT, _OUT, _ERROR)),
    "covey_engine_save": (_STATUS, (_HANDLE, _HANDLE, _TEXT, _ERROR)),
    "covey_engine_destroy": (None, (_HANDLE,)),
    "covey_engine_encoder": (_HANDLE, (_HANDLE,)),
    "covey_engine_feature_count": (c_int64, (_HANDLE,)),
    "covey_engine_feature_name": (_TEXT, (_HANDLE, c_int64)),
    "covey_engine_feature_kind": (c_int32, (_HANDLE, c_int64)),
    "covey_engine_score": (_STATUS, (_HANDLE, _HANDLE, _SEQUENCES, _TABLE, _OUT, _ERROR)),
    "covey_scores_count": (c_int64, (_HANDLE,)),
    "covey_scores_get": (_STATUS, (_HANDLE, c_int64, POINTER(s.Score), _ERROR)),
    "covey_scores_rule": (_TEXT, (_HANDLE, c_int64, c_int64)),
    "covey_scores_rule_cluster": (c_int64, (_HANDLE, c_int64, c_int64)),
    "covey_scores_reason": (_TEXT, (_HANDLE, c_int64, c_int64)),
    "covey_scores_destroy": (None, (_HANDLE,)),
}
