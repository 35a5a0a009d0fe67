"""The structs of covey.h, field for field. A test holds sizes, offsets and defaults against the header."""

from .base import Versioned
from .clustering import ClusterOptions, CondensedEdge, Edge, HybridOptions, Merge, RowPair
from .counterfactuals import Change, ChangeLimit, Counterfactual, CounterfactualOptions
from .encoder import EmbedOptions, TrainingEpoch, TrainingFunction, TrainingOptions, TrainingProgress
from .engine import EngineParts, Event, Score, ScoreOptions, SessionState
from .explain import ExplainOptions, Explanation
from .find import FindOptions, RiskyGroup
from .inputs import (
    ArrowOptions,
    Channel,
    ChannelPointer,
    Column,
    ColumnPointer,
    ContextOptions,
    Matrix,
    ProgressFunction,
    Sequences,
    Table,
)
from .risk import ClusterReport, RiskOptions
from .rules import (
    BacktestOptions,
    BacktestReport,
    Condition,
    ExportOptions,
    FeaturePair,
    RuleFeature,
    RuleReport,
    RulesOptions,
)

__all__ = [
    "ArrowOptions",
    "BacktestOptions",
    "BacktestReport",
    "Change",
    "ChangeLimit",
    "Channel",
    "ChannelPointer",
    "ClusterOptions",
    "ClusterReport",
    "Column",
    "ColumnPointer",
    "CondensedEdge",
    "Condition",
    "ContextOptions",
    "Counterfactual",
    "CounterfactualOptions",
    "Edge",
    "EmbedOptions",
    "EngineParts",
    "Event",
    "ExplainOptions",
    "Explanation",
    "ExportOptions",
    "FeaturePair",
    "FindOptions",
    "HybridOptions",
    "Matrix",
    "Merge",
    "ProgressFunction",
    "RiskOptions",
    "RiskyGroup",
    "RowPair",
    "RuleFeature",
    "RuleReport",
    "RulesOptions",
    "Score",
    "ScoreOptions",
    "Sequences",
    "SessionState",
    "Table",
    "TrainingEpoch",
    "TrainingFunction",
    "TrainingOptions",
    "TrainingProgress",
    "Versioned",
]
