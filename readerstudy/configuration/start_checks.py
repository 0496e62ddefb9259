"""What must be done before a process serves pages or works on jobs.

Static files are collected, tables migrated, and what a worker's tasks need is installed.
"""

from importlib import import_module

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from readerstudy.outage import is_outage


def require_static_files() -> None:
    """Raise ImproperlyConfigured if pages would lack their style sheets and scripts."""
    storage = storages["staticfiles"]
    if isinstance(storage, ManifestStaticFilesStorage) and not storage.hashed_files:
        raise ImproperlyConfigured("The static files are missing: run manage.py collectstatic, then start again.")


def require_migrated() -> None:
    """Raise ImproperlyConfigured if the database lacks migrations. One that is away is no reason not to start."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError) as error:
        if is_outage(error):
            return
        raise
    finally:
        connection.close()
    if missing:
        first = missing[0][0]
        raise ImproperlyConfigured(
            f"The database lacks {len(missing)} migrations, the first of them {first.app_label}.{first.name}: "
            "run manage.py migrate, then start again."
        )


def require_tasks() -> None:
    """Import the modules of CELERY_IMPORTS. Raises ImproperlyConfigured if one needs a package that is missing."""
    for name in settings.CELERY_IMPORTS:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            raise ImproperlyConfigured(
                f"This worker loads {name}, which needs {error.name}, and that is not installed: install the packages "
                "of requirements/ml.txt and torch into its environment, then start again."
            ) from error
