"""Configuration of the app."""

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "readerstudy.analysis"

    def ready(self) -> None:
        """Store the report of each study that is unsealed."""
        # Imported here, because models can be imported only once all apps are known.
        from readerstudy.analysis.report.cache import store_first_version
        from readerstudy.truth.actions import when_unsealed

        when_unsealed(lambda study, at: store_first_version(study, at=at))
