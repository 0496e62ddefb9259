"""The unplanned unblindings of a study as they count now: the newest record of each, with its newest assessment."""

from dataclasses import dataclass

from readerstudy.studies.models import Study, Unblinding, UnblindingAssessment


@dataclass(frozen=True)
class UnblindingCase:
    """One unblinding: what is recorded, earlier records of it, and its assessments, the newest first."""

    newest: Unblinding
    earlier: tuple[Unblinding, ...] = ()
    assessments: tuple[UnblindingAssessment, ...] = ()

    @property
    def assessment(self) -> UnblindingAssessment | None:
        """The assessment that counts; None if it is still to be assessed."""
        return self.assessments[0] if self.assessments else None


def unblindings_of(study: Study) -> tuple[UnblindingCase, ...]:
    """Return the unblindings of a study in the order in which they were first recorded; two queries."""
    rows: dict[int, list[Unblinding]] = {}
    for row in Unblinding.objects.filter(study=study).select_related("by").order_by("number", "-revision"):
        rows.setdefault(row.number, []).append(row)
    assessed: dict[int, list[UnblindingAssessment]] = {}
    for each in UnblindingAssessment.objects.filter(study=study).select_related("by").order_by("number", "-pk"):
        assessed.setdefault(each.number, []).append(each)
    return tuple(
        UnblindingCase(newest, tuple(earlier), tuple(assessed.get(number, ())))
        for number, (newest, *earlier) in rows.items()
    )
