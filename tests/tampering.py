"""Random tampering with a study by a superuser of the database, who has switched all triggers off.

Each function takes a random generator, changes the database, and returns what it did, or None if it found nothing to
change. `rewrite` is what somebody does who knows the log: afterwards it agrees with itself.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from django.db import connection, transaction

from readerstudy.record.checks import logged_tables
from readerstudy.record.models import Entry, Log, TreeHead
from readerstudy.record.triggers import LoggedList, key_of
from readerstudy.record.verifier import add_leaf, leaf_hash
from readerstudy.studies.models import Study
from tests.tamper import without_triggers

TRIES = 40  # some choices leave nothing to change
Tamper = Callable[[Random, Study], str | None]
CHANGED = {  # SQL for another value of a column, by its type
    "boolean": "NOT {0}",
    "jsonb": """jsonb_build_array({0}, 'tampered')""",
    "timestamp with time zone": "{0} - interval '1 minute'",
    "uuid": "gen_random_uuid()",
    "integer": "{0} + 1",
    "bigint": "{0} + 1",
    "smallint": "{0} + 1",
    "double precision": "{0} + 0.001",
    "character varying": "CASE WHEN {0} LIKE 'y%%' THEN 'z' ELSE 'y' END || substr({0}, 2)",
    "text": "{0} || ' '",
}
UNANSWERED = """
SELECT shown.id FROM studies_presentation shown JOIN studies_readinglist list ON list.id = shown.reading_list_id
JOIN studies_sessionplan plan ON plan.id = list.session_plan_id
WHERE plan.study_id = %s AND NOT EXISTS (SELECT 1 FROM reading_reading r WHERE r.presentation_id = shown.id)
"""


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


# --- rows -------------------------------------------------------------------------------------------------------
def rows_of(study: Study, chosen: Callable[[str], bool] = lambda table: True) -> list[tuple[str, str, Any]]:
    """Table, column of the primary key, and key of every logged row of the study."""
    found = []
    for model, trigger in logged_tables():
        table, key = model._meta.db_table, key_of(model)
        if not isinstance(trigger, LoggedList) and chosen(table):
            condition = f"WHERE COALESCE({trigger.study}, '') = %s"
            found += [(table, key, row) for (row,) in sql(f"SELECT me.{key} FROM {table} me {condition}", study.code)]
    return found


def pick_row(rng: Random, study: Study) -> tuple[str, str, Any]:
    """A row of a random table, so that tables with few rows are not spared."""
    rows = rows_of(study)
    table = rng.choice(sorted({table for table, _, _ in rows}))
    return rng.choice([row for row in rows if row[0] == table])


def edit(rng: Random, study: Study) -> str | None:
    table, key, row = pick_row(rng, study)
    columns = sql(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND column_name <> %s",
        table,
        key,
    )
    column, kind = rng.choice(sorted(columns))
    column = f'"{column}"'
    [(before,)] = sql(f"SELECT {column} FROM {table} WHERE {key} = %s", row)
    if before is None or column in ('"status"', '"withdrawal_cause"'):
        return None  # NULL stays NULL; the others have tamperings of their own, or constraints
    try:
        sql(f"UPDATE {table} SET {column} = {CHANGED[kind].format(column)} WHERE {key} = %s", row)
    except Exception:
        return None  # a check constraint, which no superuser switches off in passing
    return f"{table}.{column} of row {row}"


def delete(rng: Random, study: Study) -> str | None:
    table, key, row = pick_row(rng, study)
    sql(f"DELETE FROM {table} WHERE {key} = %s", row)
    return f"row {row} of {table}"


def insert(rng: Random, study: Study) -> str | None:
    match rng.choice(["event", "reading", "showing", "comment", "member"]):
        case "event":
            sql(
                "INSERT INTO audit_event (at, verb, subject, study, data, version) VALUES (now() - interval '3 days', "
                "'study.paused', 'studies.study:1', %s, '{}', '0.1.0')",
                study.code,
            )
        case "reading":
            [(presentation,)] = rng.sample(sql(UNANSWERED, study.pk), 1)
            sql(
                "INSERT INTO reading_reading (presentation_id, verdict, elapsed_ms, shown_at, answered_at, key, "
                "receipt, answers, paradata, quality, quality_reasons) VALUES (%s, 'real', 900, now(), now(), "
                "gen_random_uuid(), gen_random_uuid(), '{}', '{}', 'A', '[]')",
                presentation,
            )
        case "showing":
            used = "AND NOT EXISTS (SELECT 1 FROM reading_showing s WHERE s.presentation_id = shown.id)"
            [(presentation,)] = rng.sample(sql(UNANSWERED + used, study.pk), 1)
            sql("INSERT INTO reading_showing (presentation_id, at) VALUES (%s, now())", presentation)
        case "comment":
            [(reader,)] = sql("SELECT min(id) FROM studies_enrollment WHERE study_id = %s", study.pk)
            sql("INSERT INTO participation_comment (enrollment_id, text, at) VALUES (%s, 'well', now())", reader)
        case "member":
            sql(
                "INSERT INTO studies_studymember (study_id, person_id, role, added_at) "
                "SELECT %s, min(id), 'researcher', now() FROM accounts_user",
                study.pk,
            )
    return "a row"


def swap(rng: Random, study: Study) -> str | None:
    table, column = rng.choice(
        [
            ("reading_reading", "presentation_id"),
            ("reading_showing", "presentation_id"),
            ("studies_presentation", "stimulus_id"),
            ("studies_presentation", "position"),
            ("studies_allocation", "stimulus_id"),
        ]
    )
    through = {"reading_reading": "presentation_id", "reading_showing": "presentation_id"}.get(table)
    if table == "studies_allocation":
        own = "session_plan_id IN (SELECT id FROM studies_sessionplan WHERE study_id = %s)"
        group = "session_plan_id"
    else:
        lists = "SELECT l.id FROM studies_readinglist l JOIN studies_sessionplan p ON p.id = l.session_plan_id"
        own = f"reading_list_id IN ({lists} WHERE p.study_id = %s)"
        group = "reading_list_id"
    if through:
        own, group = f"{through} IN (SELECT id FROM studies_presentation WHERE {own})", "1"
    rows = sql(f"SELECT id, {column}, {group} FROM {table} WHERE {own} ORDER BY id", study.pk)
    first = rng.choice(rows)
    others = [row for row in rows if row[2] == first[2] and row[1] != first[1]]
    if not others:
        return None
    second = rng.choice(others)
    for row, value in ((first[0], 0), (second[0], first[1]), (first[0], second[1])):
        sql(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row)
    return f"{table}.{column} of rows {first[0]} and {second[0]}"


def change_truth(rng: Random, study: Study) -> str | None:
    drawn = (
        "SELECT a.stimulus_id FROM studies_allocation a JOIN studies_sessionplan p ON p.id = a.session_plan_id "
        "WHERE p.study_id = %s ORDER BY a.id"
    )
    [(stimulus,)] = rng.sample(sql(drawn, study.pk), 1)
    image = "(SELECT image_id FROM cohort_stimulus WHERE id = %s)"
    statement = rng.choice(
        [
            "UPDATE truth_truth SET label = 1 - label WHERE stimulus_id = %s",
            "UPDATE truth_truth SET authenticity = CASE authenticity WHEN 'real' THEN 'adversarial' ELSE 'real' END, "
            "source_image_id = CASE authenticity WHEN 'real' THEN stimulus_id END, "
            "generator = CASE authenticity WHEN 'real' THEN 'x' ELSE '' END, "
            "direction = CASE authenticity WHEN 'real' THEN 'insert' ELSE '' END WHERE stimulus_id = %s",
            "UPDATE truth_imagetruth SET pathology = CASE pathology WHEN 'positive' THEN 'negative' ELSE 'positive' "
            f"END WHERE image_id = {image}",
            f"UPDATE truth_imagetruth SET lesions = '[{{}}]' WHERE image_id = {image}",
            "DELETE FROM truth_truth WHERE stimulus_id = %s",
            "UPDATE cohort_stimulus SET sha256 = md5(sha256) WHERE id = %s",
        ]
    )
    sql(statement, stimulus)
    return statement.split(" WHERE")[0][:60]


def move_status(rng: Random, study: Study) -> str | None:
    changes = [
        "status = 'closed', closed_at = now()",
        "status = 'paused', paused_at = now()",
        "status = 'unsealed', closed_at = now(), unsealed_at = now()",
        "status = 'locked', opened_at = NULL",
        "opened_at = opened_at - interval '2 days'",
    ]
    change = rng.choice(changes)
    sql(f"UPDATE studies_study SET {change} WHERE id = %s", study.pk)
    return change


def back_date(rng: Random, study: Study) -> str | None:
    [(event,)] = rng.sample(sql("SELECT id FROM audit_event WHERE study = %s ORDER BY id", study.code), 1)
    sql("UPDATE audit_event SET at = at - make_interval(hours => %s) WHERE id = %s", rng.randint(1, 99), event)
    return f"event {event}"


# --- the log ------------------------------------------------------------------------------------------------------
def edit_log(rng: Random, study: Study) -> str | None:
    """Change one column of an entry, of the head, or of a signed head."""
    table, column = rng.choice(
        [
            ("record_entry", "data"),
            ("record_entry", "hash"),
            ("record_entry", "sealed"),
            ("record_entry", "relation"),
            ("record_entry", "row_id"),
            ("record_log", "size"),
            ("record_log", "peaks"),
            ("record_treehead", "root"),
            ("record_treehead", "signature"),
            ("record_treehead", "at"),
        ]
    )
    column_of_log, key = ("code", "code") if table == "record_log" else ("log", "id")
    [(row,)] = rng.sample(sql(f"SELECT {key} FROM {table} WHERE {column_of_log} = %s ORDER BY 1", study.code), 1)
    changes = {
        "hash": "sha256({0})",
        "peaks": "sha256({0})",
        "size": "{0} + 1",
        "at": CHANGED["timestamp with time zone"],
    }
    change = changes.get(column, CHANGED["character varying"]).format(column)
    sql(f"UPDATE {table} SET {column} = {change} WHERE {key} = %s", row)
    return f"{table}.{column} of {row}"


def cut_tail(rng: Random, study: Study) -> str | None:
    """Remove the last entries with their rows; half of the time the head is mended and later heads are removed."""
    size = Log.objects.get(code=study.code).size
    left = size - rng.randint(1, 8)
    last = "DELETE FROM record_entry WHERE log = %s AND index >= %s RETURNING relation, row_id"
    for table, row in sql(last, study.code, left):
        if table.startswith(("reading_", "audit_")):
            sql(f"DELETE FROM {table} WHERE id = %s", row)
    if rng.random() < 0.5:
        _mend(study.code)
    return f"the last {size - left} entries"


def rewrite_edit(rng: Random, study: Study) -> str | None:
    """Change a reading and its entry, and make the log agree with itself."""
    entry = rng.choice(list(Entry.objects.filter(log=study.code, relation="reading_reading")))
    data = json.loads(entry.data)
    data["content"]["elapsed_ms"] += 100
    sql("UPDATE reading_reading SET elapsed_ms = elapsed_ms + 100 WHERE id = %s", entry.row)
    sql("UPDATE record_entry SET data = %s WHERE id = %s", json.dumps(data), entry.pk)
    _mend(study.code)
    return f"entry {entry.index}"


def rewrite_delete(rng: Random, study: Study) -> str | None:
    """Remove a row with its entry, and close the gap."""
    tables = ("reading_showing", "reading_claim", "audit_event")
    entry = rng.choice(list(Entry.objects.filter(log=study.code, relation__in=tables)))
    sql(f"DELETE FROM {entry.relation} WHERE id = %s", entry.row)
    sql("DELETE FROM record_entry WHERE id = %s", entry.pk)
    _mend(study.code)
    return f"entry {entry.index}"


def rewrite_order(rng: Random, study: Study) -> str | None:
    """Exchange two entries."""
    first, second = rng.sample(list(Entry.objects.filter(log=study.code)), 2)
    for index, entry in ((-1, first), (first.index, second), (second.index, first)):
        sql("UPDATE record_entry SET index = %s WHERE id = %s", index, entry.pk)
    _mend(study.code)
    return f"entries {first.index} and {second.index}"


def _mend(code: str) -> None:
    """Number the entries anew, hash them, set the head, and remove the signed heads, which nobody else can make."""
    peaks: list[bytes] = []
    entries = list(Entry.objects.filter(log=code).order_by("index"))
    for index, entry in enumerate(entries):
        leaf = leaf_hash(entry.data.encode())
        sql("UPDATE record_entry SET index = %s, hash = %s WHERE id = %s", index, leaf, entry.pk)
        add_leaf(peaks, index, leaf)
    sql("UPDATE record_log SET size = %s, peaks = %s WHERE code = %s", len(entries), b"".join(peaks), code)
    sql(f"DELETE FROM {TreeHead._meta.db_table} WHERE log = %s", code)


KINDS: dict[str, Tamper] = {
    "a field edited": edit,
    "a row inserted": insert,
    "a row deleted": delete,
    "two rows exchanged": swap,
    "the truth changed": change_truth,
    "the study moved": move_status,
    "an event back-dated": back_date,
    "the log edited": edit_log,
    "the end of the log cut off": cut_tail,
    "row and log rewritten": rewrite_edit,
    "row and entry removed": rewrite_delete,
    "entries exchanged": rewrite_order,
}


def tamper(kind: str, rng: Random, study: Study) -> str:
    """Do it, past all triggers, inside a transaction; return what was done."""
    with without_triggers():
        for _ in range(TRIES):
            with transaction.atomic():
                done = KINDS[kind](rng, study)
                if done:
                    return done
                transaction.set_rollback(True)
    raise AssertionError(f"There is nothing to change: {kind}")
