"""A populated database of the previous release migrates forward, and says afterwards what it said before."""

import json
import re

import pytest
from django.conf import settings
from django.db import connection

from tests.upgrade.previous import (
    Installation,
    new_installation,
    restore_previous,
    rows_of,
    stated_results,
    without_added,
)
from tests.upgrade.reworked import assert_says_the_same

GRANTS = """
    SELECT grantee, 'table', table_name, privilege_type FROM information_schema.role_table_grants
    WHERE table_schema = 'public' AND grantee IN %(roles)s
    UNION ALL
    SELECT grantee, 'column', table_name || '.' || column_name, privilege_type
    FROM information_schema.role_column_grants WHERE table_schema = 'public' AND grantee IN %(roles)s
    UNION ALL
    SELECT grantee, 'sequence', object_name, privilege_type FROM information_schema.usage_privileges
    WHERE object_schema = 'public' AND grantee IN %(roles)s
"""
SCHEMA = {
    "columns": """
        SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, is_nullable,
               column_default, is_identity, identity_generation
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal""",
    "functions": """
        SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace""",
    "migrations": "SELECT app, name, true FROM django_migrations",
    "content types": "SELECT app_label, model, true FROM django_content_type",
    "permissions": """
        SELECT app_label, model, codename FROM auth_permission p JOIN django_content_type c ON c.id = content_type_id
        """,
}


@pytest.fixture(scope="module")
def upgraded(django_db_setup, tmp_path_factory) -> Installation:
    """As the previous release left it, then migrated by the command of the guide."""
    made = new_installation("upgrade", tmp_path_factory.mktemp("upgraded"))
    restore_previous(made)
    made.manage("migrate", "--verbosity", "0")
    yield made
    made.drop()


def test_the_dump_holds_a_study_at_work(upgraded):
    """Otherwise the other tests would compare little."""
    assert upgraded.rows("SELECT code, status FROM studies_study ORDER BY code") == [
        ("finished", "unsealed"),
        ("running", "open"),
    ]
    counts = {name: upgraded.rows(f"SELECT count(*) FROM {name}")[0][0] for name in ("reading_reading", "jobs_job")}
    assert counts == {"reading_reading": 63, "jobs_job": 3}


def plain(rows: list[tuple]) -> set[tuple]:
    """The rows without casts and brackets, which PostgreSQL writes otherwise after a dump."""
    return {tuple(re.sub(r"::(text|character varying)(\[\])?|[()]", "", str(value)) for value in row) for row in rows}


@pytest.mark.parametrize("part", SCHEMA)
def test_the_schema_is_that_of_a_new_database(upgraded, part, db):
    fresh = plain(rows_of(connection.settings_dict["NAME"], SCHEMA[part]))
    old = plain(upgraded.rows(SCHEMA[part]))
    assert len(fresh) > 3
    assert old - fresh == set()
    assert fresh - old == set()


def test_the_roles_may_what_they_may_in_a_new_database(upgraded, db):
    roles = tuple(settings.DATABASE_ADDRESSES[role]["USER"] for role in ("web", "sealed"))
    query = GRANTS % {"roles": str(roles)}
    fresh = set(rows_of(connection.settings_dict["NAME"], query))
    assert len(fresh) > 500
    assert set(upgraded.rows(query)) == fresh


@pytest.mark.parametrize("code", ["finished", "running", ""])
def test_the_record_still_verifies(upgraded, code):
    result = json.loads(upgraded.manage("verify_study", *([code] if code else []), "--json", "--files").stdout)
    assert result["passed"]
    assert sum(check["compared"] for check in result["checks"]) > 10


def test_the_report_says_what_it_said(upgraded, tmp_path):
    """Computed again by this release, and compared with the version that the previous one stored.

    Versions of programs, the hash of the source, the time, `ADDED`, and the wording of what is not a figure are the
    only things that may differ; `reworked` says which tables have another form.
    """
    upgraded.manage("analyse_study", "finished", "--no-pdf", "--new-version", "Upgraded.", "--out", str(tmp_path))
    before, after = (stated_results(upgraded, number) for number in (1, 2))
    assert after != without_added(after)
    after = without_added(after)
    assert_says_the_same(before, after)


def test_people_sign_in_with_the_password_they_had(upgraded):
    code = "from django.contrib.auth import authenticate as a; print(a(username='ria', password='ria-secret-1').role)"
    assert upgraded.manage("shell", "-v", "0", "-c", code).stdout.strip() == "reader"
