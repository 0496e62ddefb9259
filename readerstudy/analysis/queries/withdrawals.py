"""Withdrawn readers of a study, and the condition by which its analysis leaves out their readings."""

from django.db.models import Count

from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.analysis.record.withdrawal import WithdrawnReader
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Enrollment, Study, WithdrawalCause

# A condition for queries that join the table `enrollment`.
IS_KEPT = "(%(keeps_withdrawn)s OR enrollment.withdrawn_at IS NULL)"


def keeps_withdrawn(plan: AnalysisPlan) -> bool:
    """Return whether the analysis uses what withdrawn readers read before their withdrawal."""
    return plan.withdrawn_readers == "keep"


def analysed_readers(study: Study, plan: AnalysisPlan) -> dict[str, str]:
    """Return the code and the arm of every reader with lists whose readings the plan does not leave out."""
    rows = Enrollment.objects.filter(study=study, arm__isnull=False)
    if not keeps_withdrawn(plan):
        rows = rows.filter(withdrawn_at=None)
    return dict(rows.values_list("code", "arm__name"))


def withdrawn_readers(study: Study, plan: AnalysisPlan) -> tuple[WithdrawnReader, ...]:
    """Return the withdrawn readers who had lists, by code. Who left before the draw was never asked to read."""
    rows = (
        Enrollment.objects.filter(study=study, arm__isnull=False, withdrawn_at__isnull=False)
        .select_related("arm", "replaced_by")
        .annotate(read=Count("reading_lists__presentations__reading"))
    )
    withdrawn = [
        WithdrawnReader(
            reader=row.code,
            arm=row.arm.name if row.arm else "",
            at=row.withdrawn_at,
            is_own_decision=row.withdrawal_cause == WithdrawalCause.CONSENT,
            reason=row.withdrawal_reason,
            read=row.read,
            is_left_out=not keeps_withdrawn(plan),
            replaced_by=row.replaced_by.code if hasattr(row, "replaced_by") else "",
        )
        for row in rows
        if row.withdrawn_at
    ]
    return tuple(sorted(withdrawn, key=lambda each: reader_sort_key(each.reader)))
