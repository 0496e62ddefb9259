"""The app for Django, which grants the database's roles what they may do."""

from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model
from django.db.models.signals import post_migrate

from readerstudy.configuration import database_roles

# By table: the text of an entry that is shown when its study is unsealed.
SEALED_COLUMNS: Final = {"record_entry": ("sealed",)}


class TruthConfig(AppConfig):
    name = "readerstudy.truth"

    def ready(self) -> None:
        """Grant after each migration, so that a new table is sealed or open from its start; give readers' chance."""
        # Models can be imported only once all apps are known.
        from readerstudy.studies.chance import provide_chance
        from readerstudy.truth.seeds import chance_of_reader

        provide_chance(chance_of_reader)
        post_migrate.connect(_grant, sender=self, dispatch_uid="grant")


def sealed_models() -> list[type[Model]]:
    """Return the models whose tables only sealed work may read: all of this app but those that reveal no truth."""
    models = apps.get_app_config("truth").get_models()
    return [model for model in models if not getattr(model, "reveals_no_truth", False)]


def _grant(*, using: str, plan: Any = None, **details: Any) -> None:
    # Without a plan it is not a migration but the emptying of a test's database.
    if using == DEFAULT_DB_ALIAS and plan is not None:
        database_roles.grant(
            connection,
            settings.DATABASE_ADDRESSES,
            sealed_tables=[model._meta.db_table for model in sealed_models()],
            sealed_columns=SEALED_COLUMNS,
        )
