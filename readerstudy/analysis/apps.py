"""Configuration of the app."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from readerstudy.studies.models import Study


class AnalysisConfig(AppConfig):
    name = "readerstudy.analysis"

    def ready(self) -> None:
        """Store the report of each study that is unsealed."""
        from readerstudy.truth.actions import when_unsealed  # models can be imported only once all apps are known

        when_unsealed(_store_first_version)


def _store_first_version(study: "Study", at: datetime) -> None:
    # Imported here, because it takes seconds and few processes unseal a study.
    from readerstudy.analysis.report.cache import store_first_version

    store_first_version(study, at=at)
