"""Unplanned unblindings of a study, with the assessments that count."""

from readerstudy.analysis.record.conduct import UnplannedUnblinding
from readerstudy.studies.models import Study
from readerstudy.studies.unblindings import UnblindingCase, unblindings_of


def unplanned_unblindings(study: Study) -> tuple[UnplannedUnblinding, ...]:
    """Return the unblindings that were recorded, in their order."""
    return tuple(_unblinding(case) for case in unblindings_of(study))


def _unblinding(case: UnblindingCase) -> UnplannedUnblinding:
    newest, assessed = case.newest, case.assessment
    return UnplannedUnblinding(
        number=newest.number,
        happened_at=newest.happened_at,
        persons=newest.persons,
        learnt=newest.learnt,
        how=newest.how,
        readers=tuple(newest.readers),
        sessions=tuple(newest.sessions),
        readings=assessed.readings if assessed else None,
        consequence=assessed.consequence if assessed else "",
        assessment=assessed.text if assessed else "",
    )
