"""Which clusters are risky, from late and partial labels (covey.h section 9)."""

from __future__ import annotations

import dataclasses
import os
import warnings
from ctypes import byref, c_void_p
from typing import Any, Iterator, Optional, Union

import numpy as np

from . import _structs
from ._html import Shown
from ._arguments import checked, checked_methods
from ._arrays import choice, contiguous, integer, path_bytes, real, seconds
from ._errors import NotFoundError
from ._files import file_bytes, read_bytes
from ._handle import Handle, Native, made_by_library
from ._labels import label_codes
from ._library import call, library
from ._pairing import same_index
from ._trees import pandas
from .context import Context, running

#: By COVEY_SHARES_...
SHARES = {"auto": 0, "labelled": 1, "all": 2}


@dataclasses.dataclass(frozen=True)
class ClusterReport(Shown):
    """One cluster's figures; cluster -1 is the noise."""

    cluster: int
    #: 0 = riskiest: by `share_low` descending, then by loss, then by label.
    rank: int
    #: Rows; of them labelled (known fraud or legitimate); of them fraud.
    size: int
    labelled: int
    fraud: int
    #: labelled / size
    labelled_share: float
    #: fraud / labelled, or of all rows (see `shares_over`), with its Wilson interval; NaN, 0 and 1 if nothing is
    #: counted.
    share: float
    share_low: float
    share_high: float
    #: share / base rate; NaN if either is undefined.
    lift: float
    #: Sum of amounts of the rows labelled as fraud, and of all rows; 0 without amounts.
    loss: float
    amount: float
    #: Smallest and largest time, seconds; NaN without times.
    first_seen: float
    last_seen: float
    #: fraud >= min_fraud and the odds of share_low at least min_lift times those of the base rate, and not noise.
    risky: bool


@checked_methods
class ClusterRisk(Handle):
    """Reports of all clusters; made by :func:`cluster_risk` or :meth:`load`. Immutable; pickles and copies keep
    everything.

    Example::

        risk = covey.cluster_risk(clusterer.labels_, fraud)
        for report in risk:
            print(report.cluster, report.size, report.share, report.share_low)

    Attributes:
        reports: :class:`ClusterReport` objects by rank, riskiest first; the noise takes part.
        base_rate: the share of all rows together; NaN if none is labelled.
        risky_clusters: the labels of the risky clusters, riskiest first.
    """

    def __init__(self, native: Any = None) -> None:
        native = made_by_library(native, "a ClusterRisk is made by covey.cluster_risk(...)")
        self._native = native
        self.base_rate: float = library.covey_risk_base_rate(native)
        self.reports: list[ClusterReport] = []
        for rank in range(library.covey_risk_count(native)):
            struct = _structs.ClusterReport()
            call("covey_risk_get", native, rank, byref(struct))
            values = {field.name: getattr(struct, field.name) for field in dataclasses.fields(ClusterReport)}
            self.reports.append(ClusterReport(**{**values, "risky": bool(values["risky"])}))
        self.risky_clusters: list[int] = [report.cluster for report in self.reports if report.risky]

    @property
    def risky(self) -> list[int]:
        """The former name of ``risky_clusters``: ``risky`` is a flag everywhere else."""
        warnings.warn("ClusterRisk.risky is now risky_clusters", DeprecationWarning, stacklevel=2)
        return self.risky_clusters

    def save(self, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> None:
        """Writes a file that C reads too, whole or not at all. Errors: IO, OUT_OF_MEMORY, CANCELLED."""
        with running(context) as native:
            call("covey_risk_save", self._handle(), native, path_bytes(path))

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> "ClusterRisk":
        """Reads what :meth:`save` wrote. Errors: IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY."""
        pointer = c_void_p()
        with running(context) as native:
            call("covey_risk_load", native, path_bytes(path), byref(pointer))
        return cls(Native(pointer.value, "covey_risk_destroy"))

    def __reduce__(self) -> Any:
        return _restore, (file_bytes("covey_risk_write", self._handle()),)

    def __getitem__(self, cluster: int) -> ClusterReport:
        """The report of a cluster, by its label. Raises NotFoundError, which is a KeyError."""
        for report in self.reports:
            if report.cluster == cluster:
                return report
        raise NotFoundError(
            f"there is no cluster {cluster!r}; there are {sorted(report.cluster for report in self.reports)}"
        )

    def __iter__(self) -> Iterator[ClusterReport]:
        return iter(self.reports)

    def __len__(self) -> int:
        return len(self.reports)

    def to_frame(self) -> Any:
        """A pandas DataFrame with one row a cluster, riskiest first."""
        names = [field.name for field in dataclasses.fields(ClusterReport)]
        return pandas().DataFrame([dataclasses.astuple(report) for report in self.reports], columns=names)

    def __repr__(self) -> str:
        return f"ClusterRisk({len(self.reports)} clusters, risky {self.risky_clusters}, base rate {self.base_rate:.4g})"


def _restore(data: bytes) -> ClusterRisk:
    return ClusterRisk(read_bytes("covey_risk_read", data, "covey_risk_destroy"))


@checked
def cluster_risk(
    labels: Any,
    fraud: Any,
    amounts: Any = None,
    times: Any = None,
    *,
    confidence: float = 0.95,
    min_lift: float = 3.0,
    min_fraud: int = 3,
    shares_over: str = "auto",
    known_share: Optional[float] = None,
    context: Optional[Context] = None,
) -> ClusterRisk:
    """Rates the clusters of n rows. O(n).

    Example::

        risk = covey.cluster_risk(clusterer.labels_, fraud, amounts=amounts)
        risk.risky_clusters

    Args:
        labels: n cluster labels, -1 = noise.
        fraud: n of True/1/"fraud" (known fraud), False/0/"legitimate" (known legitimate), None/NaN/-1/"" (unknown).
            Where a missing chargeback says nothing, pass unknown; where it mostly means that all is well, legitimate.
        amounts: n finite numbers >= 0. times: n finite numbers (seconds) or datetimes.
        confidence: of the Wilson intervals (Wilson 1927), 0.5 to 0.9999.
        min_lift, min_fraud: a cluster is risky where fraud >= min_fraud and the odds of share_low are at least min_lift
            times those of the base rate.
        shares_over: "labelled" (fraud / labelled), "all" (fraud / size / known_share) or "auto": "all" if no row is
            labelled as legitimate, for then the labelled rows are all fraud and say nothing.
        known_share: with shares over all rows, the share of all fraud that is labelled, above 0, at most 1; None = 1.

    Errors: INVALID_ARGUMENT, INVALID_DATA, MISMATCH (lengths; indexes of pandas with the same labels in other rows).
    """
    same_index(labels=labels, fraud=fraud, amounts=amounts, times=times)
    label_array = contiguous(labels, "labels", np.int32)
    rows = len(label_array)
    known = label_codes(fraud, "fraud", rows)
    money = None if amounts is None else contiguous(amounts, "amounts", np.float64, rows)
    when = None if times is None else np.ascontiguousarray(seconds(times, "times", rows))
    options = _structs.RiskOptions(
        confidence=real(confidence, "confidence"),
        min_lift=real(min_lift, "min_lift"),
        min_fraud=integer(min_fraud, "min_fraud"),
        shares_over=choice(shares_over, "shares_over", SHARES),
        known_share=0.0 if known_share is None else real(known_share, "known_share"),
    )
    pointer = c_void_p()
    with running(context) as native:
        call(
            "covey_cluster_risk",
            native,
            label_array.ctypes.data,
            known.ctypes.data,
            None if money is None else money.ctypes.data,
            None if when is None else when.ctypes.data,
            rows,
            byref(options),
            byref(pointer),
        )
    return ClusterRisk(Native(pointer.value, "covey_risk_destroy"))
