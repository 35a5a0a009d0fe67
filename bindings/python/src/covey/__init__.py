"""Covey finds fraud rings by how they behave.

The whole road in one call::

    found = covey.find(events, transactions, "label", key="transaction", time="seconds")

and stage by stage, from raw events to risky clusters, rules and a scored transaction::

    sequences = covey.Sequences.from_frame(events, sequence="transaction", time="time", event="event")
    encoder = covey.SequenceEncoder.train(sequences)
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(encoder.embed(sequences), features)
    clusterer = covey.HDBSCAN(min_cluster_size=50, prediction_data=True).fit(rows)
    risk = covey.cluster_risk(clusterer.labels_, fraud, amounts=amounts)
    rules = {cluster: covey.extract_rules(features, clusterer.labels_ == cluster) for cluster in risk.risky}
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk, rules=rules)

The method is FinDeepBehaviorCluster (Min et al., arXiv 2101.04285); every failure is a :class:`CoveyError`.
"""

from ._conditions import Condition, ConditionKind, Derived
from ._errors import (
    BufferTooSmallError,
    CancelledError,
    CorruptFileError,
    CoveyError,
    FileError,
    InternalError,
    InvalidArgumentError,
    InvalidDataError,
    InvalidTypeError,
    MismatchError,
    NotFittedError,
    NotFoundError,
    OutOfMemoryError,
    StatusCode,
    UnavailableError,
    UnsupportedError,
)
from ._find_results import Found, RiskyGroup
from ._findings import DataWarning, Finding
from ._library import library_version
from ._scores import FiredRule, Score, Scores
from ._trees import CondensedTree, MinimumSpanningTree, SingleLinkageTree
from .backtesting import Backtest, Matches, RuleMatches, backtest
from .branches import BranchDetector, approximate_predict_branch, detect_branches_in_clusters
from .clustering import HDBSCAN, hdbscan
from .context import Context
from .drift import Drift
from .encoder import SequenceEncoder
from .engine import Engine
from .find import find
from .holder import EngineHolder
from .hybrid import HybridFeatures, hybrid_features
from .matching import ClusterMatches, match_clusters
from .prediction import (
    all_points_membership_vectors,
    approximate_predict,
    approximate_predict_scores,
    membership_vector,
)
from .report import Marks, Report, read_marks, report
from .risk import ClusterReport, ClusterRisk, cluster_risk
from .robust_single_linkage import RobustSingleLinkage, robust_single_linkage
from .rules import Rule, RuleSet, extract_rules
from .sequences import Sequences
from .session import Session
from .stability import cluster_stability, prediction_agreement
from .training import TrainingEpoch, TrainingProgress, TrainingReport
from .validity import validity_index
from ._versions import show_versions
from .vocabulary import Vocabulary

__version__ = "1.0.0"

__all__ = [
    "Backtest",
    "BranchDetector",
    "BufferTooSmallError",
    "CancelledError",
    "ClusterMatches",
    "ClusterReport",
    "ClusterRisk",
    "CondensedTree",
    "Condition",
    "ConditionKind",
    "Context",
    "CorruptFileError",
    "CoveyError",
    "DataWarning",
    "Derived",
    "Drift",
    "Engine",
    "EngineHolder",
    "FileError",
    "Finding",
    "FiredRule",
    "Found",
    "HDBSCAN",
    "HybridFeatures",
    "InternalError",
    "InvalidArgumentError",
    "InvalidDataError",
    "InvalidTypeError",
    "Marks",
    "Matches",
    "MinimumSpanningTree",
    "MismatchError",
    "NotFittedError",
    "NotFoundError",
    "OutOfMemoryError",
    "Report",
    "RobustSingleLinkage",
    "RiskyGroup",
    "Rule",
    "RuleMatches",
    "RuleSet",
    "Score",
    "Scores",
    "SequenceEncoder",
    "Sequences",
    "Session",
    "SingleLinkageTree",
    "StatusCode",
    "TrainingEpoch",
    "TrainingProgress",
    "TrainingReport",
    "UnavailableError",
    "UnsupportedError",
    "Vocabulary",
    "all_points_membership_vectors",
    "approximate_predict",
    "approximate_predict_branch",
    "approximate_predict_scores",
    "backtest",
    "cluster_risk",
    "cluster_stability",
    "detect_branches_in_clusters",
    "extract_rules",
    "find",
    "hdbscan",
    "hybrid_features",
    "library_version",
    "show_versions",
    "match_clusters",
    "membership_vector",
    "prediction_agreement",
    "read_marks",
    "report",
    "robust_single_linkage",
    "validity_index",
]
