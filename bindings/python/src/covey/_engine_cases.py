"""What an engine says to an investigator: a part of :class:`covey.Engine`."""

from __future__ import annotations

import json
from ctypes import byref, c_void_p
from typing import Any, Dict, Optional

from ._arguments import checked_methods
from ._arrays import integer
from ._errors import InvalidTypeError
from ._handle import Handle, buffer_bytes
from ._library import call
from ._transactions import Transactions
from .context import Context, running
from .counterfactuals import Counterfactuals, Wishes, search
from .encoder import SequenceEncoder


@checked_methods
class EngineCases(Handle):
    """The methods of an engine for single cases and clusters."""

    _features: Dict[str, str]
    _encoder: Optional[SequenceEncoder]
    columns: Dict[str, str]

    def counterfactual(
        self,
        events: Any = None,
        features: Any = None,
        *,
        context: Optional[Context] = None,
        goal: Any = None,
        risk_below: Optional[float] = None,
        costs: Any = None,
        bounds: Any = None,
        categories: Any = None,
        immutable: Any = (),
        allowed: Any = None,
        answers: int = 3,
        max_changes: Optional[int] = None,
        max_removed: int = 0,
        event_cost: float = 1.0,
        max_evaluations: int = 10_000,
        key: Optional[str] = None,
        time: Optional[str] = None,
        event: Optional[str] = None,
        dwell: Optional[str] = None,
    ) -> Counterfactuals:
        """The cheapest changes after which this engine scores one transaction as `goal` says; see
        covey_counterfactuals_find in covey.h::

            for answer in engine.counterfactual(events, features, immutable=["country"], bounds={"amount": (0, None)}):
                print(answer)        # "With amount 120 instead of 950, its risk would be 2.1% instead of 93%."
                answer.score         # what the engine says of {**features, **answer.values}

        Args:
            events, features: one transaction, and key, time, event, dwell, the columns of tables: as for :meth:`score`.
            goal: "not_risky" (the verdict), "leave_cluster" (for none or one that is not risky), "risk_below", or
                several; all must hold. None: "not_risky" for a risky transaction, otherwise a risk of at most the base
                rate.
            risk_below: the threshold of that goal, which it implies.
            costs: by feature, above 0, 1 if not named: of a number's unit (the distance between the quartiles of the
                engine's rows), or of any other change.
            bounds: (low, high) of new numbers by feature, None = that of the engine's rows.
            categories: the only new categories by feature; None: those of the engine's rows and rules.
            immutable: features that are not changed. allowed: the only ones that may be; None = all others.
            answers: the most answers, each another way: none has all the changes of a cheaper one.
            max_changes: the most features and events that an answer changes. max_removed: the most events that it
                removes (0 = none); the last event is the transaction and stays. event_cost: of each.
            max_evaluations: the most alternatives that are scored.

        Every answer is scored by the engine as :meth:`score` would, and carries that score. That there is none is a
        result ("none" or "not_needed" in ``outcome``). An answer says what the engine would score, not what a customer
        should do.
        Errors: INVALID_ARGUMENT, INVALID_DATA, MISMATCH (more or less than one transaction, unknown features, events
        without an encoder, "leave_cluster" without clusters), OUT_OF_MEMORY, CANCELLED.
        """
        handle = self._handle()
        if max_removed and self._encoder is None:
            raise InvalidTypeError("max_removed must be 0: this engine has no encoder, so it takes no events")
        wishes = Wishes(
            self._features,
            goal,
            risk_below,
            costs=costs,
            bounds=bounds,
            categories=categories,
            immutable=immutable,
            allowed=allowed,
            answers=answers,
            max_changes=max_changes,
            max_removed=max_removed,
            event_cost=event_cost,
            max_evaluations=max_evaluations,
        )
        roles = {"key": key, "time": time, "event": event, "dwell": dwell}
        given = Transactions(self._encoder, self._features, self.columns, events, features, roles)
        return search(handle, given, wishes, context)

    def profile(self, cluster: int, *, context: Optional[Context] = None) -> Dict[str, Any]:
        """What this engine itself says about one of its clusters, as plain data: size, labels, share of fraud with its
        interval, loss, the features and categories that set it apart with effect size and corrected interval, the
        nearest other clusters, exemplars (rows of the clustering), rules, and why nobody should act on it alone
        ("cautions").

        covey_engine_profile in covey.h explains each entry. An engine keeps no events, shared values, growth or single
        amounts ("not_known" lists what is missing): :func:`covey.report` works these out from raw rows.

        Errors: INVALID_ARGUMENT (a cluster that the engine does not have), OUT_OF_MEMORY, CANCELLED.
        """
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_profile", self._handle(), native, integer(cluster, "cluster"), byref(pointer))
        found: Dict[str, Any] = json.loads(buffer_bytes(pointer.value))
        return found
