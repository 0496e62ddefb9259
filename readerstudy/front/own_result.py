"""A reader's own result beside the anonymous others, after the unsealing, if its protocol says so. SIGHTED."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.analysis.queries.counts import aggregate_readings
from readerstudy.analysis.record.counts import VERDICT_NOT_REAL, VERDICT_REAL, VERDICT_SEEN, AggregatedReadings
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.models import Enrollment, SessionPlan
from readerstudy.truth.seal import require_unsealed

FEWEST_OTHERS: Final = 3  # fewer would tell who they are
_REAL, _ADVERSARIAL = [0, 1], [2, 3]


@dataclass(frozen=True)
class SessionResult:
    """The reader's right verdicts in one session, and the shares of the others in ascending order (empty: too few)."""

    number: int
    title: str
    right: int
    total: int
    others: tuple[float, ...]

    @property
    def percent(self) -> float:
        return 100 * self.right / self.total

    @property
    def others_range(self) -> tuple[float, float, float] | None:
        """The lowest, the median and the highest share of the others in percent; None if there are too few."""
        if not self.others:
            return None
        return 100 * self.others[0], 100 * float(np.median(self.others)), 100 * self.others[-1]


@require_GET
@role_required(Role.READER)
def own_result(request: HttpRequest, code: str) -> HttpResponse:
    """Show readers their own result. There is no such page unless the study is unsealed and its protocol says so."""
    rows = Enrollment.objects.filter(reader=signed_in_user(request), study__code=code, withdrawn_at=None)
    enrollment = rows.select_related("study__cohort").first()
    if enrollment is None or not enrollment.study.is_unsealed or not enrollment.study.protocol.shows_own_result:
        raise Http404
    context: dict[str, Any] = {"study": enrollment.study, "results": results_of(enrollment), "fewest": FEWEST_OTHERS}
    return render(request, "participation/own_result.html", context)


def results_of(enrollment: Enrollment) -> list[SessionResult]:
    """Return the result of each session with verdicts. Raises StillSealed before the unsealing."""
    study = enrollment.study
    require_unsealed(study)
    readings = aggregate_readings(study, study.analysis)
    if enrollment.code not in readings.readers:
        return []
    plans = SessionPlan.objects.filter(study=study, kind=SessionKind.BLINDED).order_by("number")
    return [
        result
        for plan in plans
        if plan.number in readings.sessions and (result := _result(readings, enrollment.code, plan)) is not None
    ]


def _result(readings: AggregatedReadings, reader: str, plan: SessionPlan) -> SessionResult | None:
    verdicts = readings.verdicts[:, readings.sessions.index(plan.number), :, :VERDICT_SEEN]
    right = verdicts[:, _REAL, VERDICT_REAL].sum(axis=1) + verdicts[:, _ADVERSARIAL, VERDICT_NOT_REAL].sum(axis=1)
    total = verdicts[:, _REAL + _ADVERSARIAL].sum(axis=(1, 2))
    own = readings.readers.index(reader)
    if not total[own]:
        return None
    others = sorted(float(right[i] / total[i]) for i in range(len(total)) if i != own and total[i])
    shown = tuple(others) if len(others) >= FEWEST_OTHERS else ()
    return SessionResult(plan.number, plan.title, int(right[own]), int(total[own]), shown)
