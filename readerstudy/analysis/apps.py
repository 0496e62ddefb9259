"""Configuration of the app."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from readerstudy.studies.models import Study


class AnalysisConfig(AppConfig):
    name = "readerstudy.analysis"

    def ready(self) -> None:
        """Make the report of each study that is unsealed."""
        from readerstudy.truth.actions import when_unsealed  # models can be imported only once all apps are known

        when_unsealed(_make_first_version)


def _make_first_version(study: "Study", at: datetime) -> None:
    # Imported here, because it takes seconds and few processes unseal a study.
    from readerstudy.analysis.report.making import start_making

    if not study.is_rehearsal:
        start_making(study, actor=None, at=at)
