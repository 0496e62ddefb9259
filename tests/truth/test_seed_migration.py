"""A database of the version that stored seeds with the studies is migrated: seeds are kept, and sealed."""

import json

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from readerstudy.record.checks import load_log, verify_log
from readerstudy.record.models import Entry
from readerstudy.studies.models import Draw, Study
from readerstudy.truth.seeds import seed_of, seed_of_earlier
from tests import make
from tests.tamper import without_triggers

EARLIER = [("record", "0002_functions"), ("studies", "0001_initial"), ("truth", "0001_initial")]
NEVER, TWICE = 11, (22, 33)  # seeds of a study that was never unlocked, and of one that was locked twice


@pytest.fixture
def database(transactional_db):
    """A database of its own, without tables, as the default one."""
    outer = connections["default"]
    address = {**outer.settings_dict, "NAME": f"{outer.settings_dict['NAME']}_earlier"}
    with outer.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{address["NAME"]}"')
    connections["default"] = type(outer)(address, alias="default")
    try:
        yield address["NAME"]
    finally:
        connections["default"].close()
        connections["default"] = outer
        with outer.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{address["NAME"]}"')


def earlier_studies(apps: StateApps) -> None:
    """A draft, a study that was locked once, and one that was locked, unlocked and locked again."""
    cohort = apps.get_model("cohort", "Cohort").objects.create(name="films", seed=1, created_at=make.MONDAY)
    study, draw = apps.get_model("studies", "Study"), apps.get_model("studies", "Draw")
    values = {"title": "x", "template": "zhou2021", "cohort": cohort, "created_at": make.MONDAY}
    drawn = {"status": "locked", "image_bytes": 65536, "locked_at": make.MONDAY, **values}
    study.objects.create(code="draft", **values)
    study.objects.create(code="once", seed=NEVER, **drawn)
    again = study.objects.create(code="again", seed=TWICE[1], **drawn)
    moments = {"drawn_at": make.MONDAY, "replaced_at": make.MONDAY, "plan": {}, "lists": {}}
    draw.objects.create(study=again, seed=TWICE[0], reason="Too few images.", **moments)


def findings(code: str) -> list[str]:
    return [text for check in verify_log(load_log(code)) for text in check.findings]


def test_seeds_of_an_earlier_version_are_kept_sealed_and_verified(database):
    executor = MigrationExecutor(connection)
    executor.migrate(EARLIER)
    earlier_studies(executor.loader.project_state(EARLIER).apps)
    before = Entry.objects.count()
    call_command("migrate", verbosity=0)

    assert [seed_of(Study.named(code)) for code in ("draft", "once", "again")] == [None, NEVER, TWICE[1]]
    assert seed_of_earlier(Draw.objects.get()) == TWICE[0]
    # The entries of the record stay as they were, and agree with the seeds where they are now.
    assert Entry.objects.count() == before + 3
    assert json.loads(Entry.objects.get(log="once", relation="studies_study").sealed)["content"] == {"seed": NEVER}
    assert findings("draft") == findings("once") == findings("again") == []

    with transaction.atomic(), without_triggers(), connection.cursor() as cursor:
        cursor.execute("UPDATE truth_drawseed SET seed = seed + 1")
    assert [text for text in findings("once") if text.startswith("studies_study row")]
    assert [text for text in findings("again") if text.startswith("studies_draw row")]

    refused_to_the_web_role(database)


def refused_to_the_web_role(database: str) -> None:
    address = settings.DATABASE_ADDRESSES["web"]
    own = psycopg2.connect(host=address["HOST"], user=address["USER"], password=address["PASSWORD"], dbname=database)
    try:
        own.autocommit = True
        with own.cursor() as cursor:
            for statement, reason in (
                ("SELECT seed FROM truth_drawseed", "permission denied"),
                ("SELECT seed FROM studies_study", "does not exist"),
                ("SELECT seed FROM studies_draw", "does not exist"),
            ):
                with pytest.raises(psycopg2.Error, match=reason):
                    cursor.execute(statement)
    finally:
        own.close()
