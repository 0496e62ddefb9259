"""The three roles under which processes connect to PostgreSQL, and what the database grants to each.

*owner* owns the tables and runs migrations only. *web* answers requests: it cannot read the sealed tables, and nobody's
SQL through it can. *sealed* reads them: workers, commands, and the second connection of the web process, which
`readerstudy.sealed_work` opens. Neither of the two can change a table or its triggers. Decision 49 has the reasons.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from psycopg2 import sql

from readerstudy.sealed_work import SEALED

OWNER: Final = "owner"
WEB: Final = "web"
ROLES: Final = (WEB, SEALED)
# Commands of the owner; every other one is run as `sealed`, except the server of a developer.
_OF_OWNER: Final = frozenset(
    {"migrate", "makemigrations", "showmigrations", "sqlmigrate", "flush", "dbshell", "backup", "restore"}
)
_OF_WEB: Final = frozenset({"runserver"})
# Tables that triggers write, as their owner.
_WRITTEN_BY_TRIGGERS: Final = ("record_log", "record_entry", "record_waiting", "record_redaction", "django_migrations")
# What triggers call. They run as their owner, and find no table but those of the application.
_OF_RECORD: Final = (
    "record_note(text, text, text, text, jsonb, jsonb)",
    "record_append()",
)
# What erases personal data: the only way past the protections, for sealed work alone.
_OF_ERASURE: Final = (
    "privacy_erase(bigint, bigint, text, boolean)",
    "privacy_forget_addresses(bigint, bigint[])",
    "privacy_forget_mails(bigint, bigint[], bigint[])",
)
_WITHIN_ERASURE: Final = ("privacy_note(bigint, text, bigint[])",)

process: str | None = None  # the role that `readerstudy.wsgi` sets; processes that it starts do not inherit it


def role_of_process(arguments: Sequence[str], *, is_test: bool) -> str:
    """Return the role of this process, from its command line. A test makes its database, so it is the owner."""
    if process is not None:
        return process
    command = arguments[1] if len(arguments) > 1 else ""
    if command in _OF_WEB:
        return WEB
    return OWNER if is_test or command in _OF_OWNER else SEALED


def databases_of(role: str, addresses: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES for a process of this role: the web process has a second connection."""
    own = {"default": dict(addresses[role])}
    return {**own, SEALED: dict(addresses[SEALED])} if role == WEB else own


def limits_of(role: str) -> dict[str, Any]:
    """Return options of every connection of a process of this role: none waits for a silent server forever.

    Only statements of requests have a limit; work and migrations may take hours.
    """
    limits: dict[str, Any] = {
        "connect_timeout": 5,  # seconds
        "tcp_user_timeout": 20_000,  # milliseconds until a server that confirms nothing is given up
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    if role == WEB:
        # Milliseconds. A request whose browser has gone must not hold locks.
        limits["options"] = (
            "-c statement_timeout=120000 -c lock_timeout=30000 -c idle_in_transaction_session_timeout=300000"
        )
    return limits


def require_different_users(addresses: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ImproperlyConfigured if two roles are the same user of the database."""
    users = [address.get("USER") for address in addresses.values()]
    if not all(users) or len(set(users)) < len(users):
        raise ImproperlyConfigured(
            "DATABASE_URL, SEALED_DATABASE_URL and OWNER_DATABASE_URL must name three different users: the pages "
            "connect as one that cannot read what is sealed."
        )


def grant(
    connection: Any,
    addresses: Mapping[str, Mapping[str, Any]],
    *,
    sealed_tables: Sequence[str],
    sealed_columns: Mapping[str, Sequence[str]],
) -> None:
    """Give both roles what they may do in this database; called by its owner after each migration.

    A role that does not exist is made, with the password of its address. Raises ImproperlyConfigured if the owner may
    not make roles.
    """
    web, sealed = (sql.Identifier(addresses[role]["USER"]) for role in ROLES)
    values = {"web": web, "sealed": sealed, "database": sql.Identifier(connection.settings_dict["NAME"])}
    with connection.cursor() as cursor:
        for role in ROLES:
            _ensure_role(cursor, addresses[role])
        _require_door(cursor)
        erasing, within = (_known(cursor, names) for names in (_OF_ERASURE, _WITHIN_ERASURE))
        statements = [
            *_GENERAL,
            *(f"ALTER FUNCTION {name} {_DEFINER} SET {_DOOR} = ''" for name in _OF_RECORD),
            *(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC" for name in (*erasing, *within)),
            *(f"ALTER FUNCTION {name} {_DEFINER} SET {_DOOR} = 'on'" for name in erasing),
            *(f"GRANT EXECUTE ON FUNCTION {name} TO {{sealed}}" for name in erasing),
        ]
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**values))
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        present = {name for (name,) in cursor.fetchall()}
        for table in present.intersection(_WRITTEN_BY_TRIGGERS):
            cursor.execute(
                sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {table} FROM {web}, {sealed}").format(
                    table=sql.Identifier(table), **values
                )
            )
        for table in sealed_tables:
            cursor.execute(sql.SQL("REVOKE ALL ON {table} FROM {web}").format(table=sql.Identifier(table), **values))
        for table, columns in sealed_columns.items():
            _grant_other_columns(cursor, table, columns, web)


_DEFINER: Final = "SECURITY DEFINER SET search_path = public, pg_temp"
_DOOR: Final = "readerstudy.erasing"  # a setting; it opens nothing for anybody but the owner
_GENERAL: Final = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    # A temporary table could stand for one of the application's in the query of a trigger. Analyses make them.
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
    "GRANT TEMPORARY ON DATABASE {database} TO {sealed}",
    "GRANT USAGE ON SCHEMA public TO {web}, {sealed}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {web}, {sealed}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {web}, {sealed}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {web}, {sealed}",
    # By a setting of its session, which everybody may change, a role could otherwise ignore the triggers. Only the
    # functions of erasure, which run as the owner, pass the protections; nobody passes what writes the record.
    # In PL/pgSQL, because every trigger asks: PostgreSQL plans a function of SQL anew for each row.
    f"""CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name NAME) RETURNS BOOLEAN
    LANGUAGE plpgsql STABLE AS $$
    BEGIN
        IF pg_catalog.current_setting('{_DOOR}', true) = 'on' THEN
            RETURN pg_catalog.strpos(trigger_name::pg_catalog.text, 'logged') = 0 AND EXISTS (
                SELECT 1 FROM pg_catalog.pg_class WHERE oid = 'public.record_entry'::pg_catalog.regclass
                AND relowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
            );
        END IF;
        RETURN false;
    END $$""",
)


def _known(cursor: Any, functions: Sequence[str]) -> list[str]:
    """Return the functions that this database has: after a migration to an earlier state some are missing."""
    cursor.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regprocedure(name) IS NOT NULL", [list(functions)]
    )
    return [name for (name,) in cursor.fetchall()]


def _require_door(cursor: Any) -> None:
    right = "rolsuper OR has_parameter_privilege(%s, 'SET')"
    cursor.execute(f"SELECT rolname, {right} FROM pg_roles WHERE rolname = current_user", [_DOOR])
    owner, may_set = cursor.fetchone()
    if not may_set:
        raise ImproperlyConfigured(
            "The owner of the database may not give its functions a setting. An administrator of the database allows "
            f'it: GRANT SET ON PARAMETER {_DOOR} TO "{owner}";'
        )


def _ensure_role(cursor: Any, address: Mapping[str, Any]) -> None:
    name, password = address["USER"], address.get("PASSWORD", "")
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    if cursor.fetchone():
        return
    cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    if not cursor.fetchone()[0]:
        raise ImproperlyConfigured(
            f"The database has no role {name}, and its owner may not make one. An administrator of the database "
            f"makes it: CREATE ROLE \"{name}\" LOGIN PASSWORD '...';"
        )
    create = sql.SQL("CREATE ROLE {name} LOGIN PASSWORD {password}")
    made = create.format(name=sql.Identifier(name), password=sql.Literal(password)).as_string(cursor.connection)
    # Test runs make it side by side.
    cursor.execute("DO %s", [f"BEGIN {made}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END"])


def _grant_other_columns(cursor: Any, table: str, hidden: Sequence[str], web: sql.Identifier) -> None:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s "
        "ORDER BY ordinal_position",
        [table],
    )
    columns = [sql.Identifier(name) for (name,) in cursor.fetchall() if name not in hidden]
    values = {"table": sql.Identifier(table), "web": web, "columns": sql.SQL(", ").join(columns)}
    cursor.execute(sql.SQL("REVOKE SELECT ON {table} FROM {web}").format(**values))
    cursor.execute(sql.SQL("GRANT SELECT ({columns}) ON {table} TO {web}").format(**values))
