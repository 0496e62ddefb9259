"""Django application configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "readerstudy.jobs"

    def ready(self) -> None:
        """Load the Celery application, so that it is the current one in every Django process."""
        import readerstudy.celery  # noqa: F401 (imported for its effect)
