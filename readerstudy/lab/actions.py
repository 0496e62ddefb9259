"""Starting a job from a page or the API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.experiments import start
from readerstudy.experiments.catalogue import kind_named
from readerstudy.jobs.models import Job


def start_job(*, kind: str, parameters: Mapping[str, Any], requested_by: User, at: datetime) -> Job:
    """Queue a job of that kind, on a cohort that there is; where the same work is under way, that job.

    Where no resolution is named, it is done at all that the cohort stores.

    Raises NotAllowed for anybody but a researcher, StudyError with a sentence for what cannot be understood.
    """
    if name := parameters.get("cohort"):
        cohort = Cohort.named(str(name))
        if kind_named(kind).field("resolutions") and not parameters.get("resolutions"):
            parameters = {**parameters, "resolutions": cohort.resolutions}
    return start.start_job(kind=kind, parameters=parameters, requested_by=requested_by, at=at)
