"""Images that a coordinator excluded from the analysis before the unsealing."""

from readerstudy.analysis.queries.trail import person_name
from readerstudy.analysis.record.conduct import ExcludedImage
from readerstudy.studies.models import Allocation, AnalysisExclusion, Study

# A condition for queries that join the tables `list`, `enrollment` and `presentation`.
IS_INCLUDED = f"""NOT EXISTS (
    SELECT FROM {AnalysisExclusion._meta.db_table} exclusion
    JOIN {Allocation._meta.db_table} allocation ON allocation.id = exclusion.allocation_id
    WHERE exclusion.withdrawn_at IS NULL AND allocation.session_plan_id = list.session_plan_id
      AND allocation.arm_id = enrollment.arm_id AND allocation.stimulus_id = presentation.stimulus_id
)"""


def excluded_images(study: Study) -> tuple[ExcludedImage, ...]:
    """Return the exclusions in force, in the order in which they were made."""
    exclusions = (
        AnalysisExclusion.objects.filter(allocation__session_plan__study=study, withdrawn_at=None)
        .select_related("allocation__arm", "allocation__session_plan", "by")
        .order_by("id")
    )
    return tuple(
        ExcludedImage(
            arm=each.allocation.arm.name,
            session=each.allocation.session_plan.number,
            at=each.at,
            by=person_name(each.by),
            reason=each.reason,
        )
        for each in exclusions
    )
