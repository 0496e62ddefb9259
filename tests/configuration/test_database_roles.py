"""What each role of the database may do, tried as that role."""

import base64
import hashlib
from random import Random

import psycopg2
import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, transaction

from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.configuration import database_roles
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession, ReadingOrder
from readerstudy.protocol.sessions import SessionKind
from readerstudy.record.models import Entry
from readerstudy.sealed_work import SEALED, each_sealed, is_sealed_work, sealed_work
from readerstudy.studies.actions import unlock_study
from readerstudy.studies.models import ReadingList, Study
from readerstudy.truth.actions import create_study, lock_study
from readerstudy.truth.apps import sealed_models
from readerstudy.truth.models import DrawSeed, Score, Truth, Unsealing
from tests import make

SEALED_TABLES = {model._meta.db_table for model in sealed_models()}
OPEN_TABLES = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - SEALED_TABLES


@pytest.fixture
def run(transactional_db):
    """Runs a statement as a role, in a transaction of its own, and gives the rows."""

    def run(role: str, statement: str):
        address = settings.DATABASE_ADDRESSES[role]
        own = psycopg2.connect(
            host=address["HOST"],
            user=address["USER"],
            password=address["PASSWORD"],
            dbname=connection.settings_dict["NAME"],
        )
        try:
            with own, own.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            own.close()

    return run


def refuses(run, role: str, *statements: str, match: str = "permission denied|must be owner") -> None:
    for statement in statements:
        with pytest.raises(psycopg2.Error, match=match):
            run(role, statement)


def test_every_table_with_the_truth_is_sealed():
    assert {Truth._meta.db_table, Score._meta.db_table} < SEALED_TABLES
    assert Unsealing._meta.db_table not in SEALED_TABLES
    assert len(SEALED_TABLES) >= 6


def test_the_web_role_cannot_read_or_write_what_is_sealed(run):
    for table in SEALED_TABLES:
        refuses(
            run,
            "web",
            f"SELECT count(*) FROM {table}",
            f"SELECT 1 FROM studies_study WHERE EXISTS (SELECT FROM {table})",
            f"DELETE FROM {table}",
            f"COPY {table} TO STDOUT",
        )
        assert run("sealed", f"SELECT count(*) FROM {table}") == [(0,)]
    refuses(run, "web", "SELECT sealed FROM record_entry", "SELECT * FROM record_entry", "SET ROLE readerstudy_sealed")
    assert run("web", "SELECT log, data FROM record_entry") == []


def test_both_roles_read_everything_else(run):
    for role in ("web", "sealed"):
        for table in OPEN_TABLES - {"record_entry"}:
            run(role, f"SELECT * FROM {table} LIMIT 1")


@pytest.mark.parametrize("role", ["web", "sealed"])
def test_no_role_of_the_application_can_weaken_the_database(run, role):
    study = make.study()
    refuses(
        run,
        role,
        "TRUNCATE audit_event",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "DROP TABLE audit_event",
        "DROP TRIGGER pgtrigger_not_truncated_b9ec4 ON audit_event",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name NAME) RETURNS boolean LANGUAGE sql "
        "AS 'SELECT true'",
        "DELETE FROM record_entry",
        "UPDATE record_log SET size = 0",
        "INSERT INTO record_waiting (log, relation, row_id, data, sealed) VALUES ('', '', '', '', '')",
        "UPDATE django_migrations SET name = ''",
        "COPY audit_event TO '/tmp/events'",
    )
    move = f"UPDATE studies_study SET status = 'unsealed' WHERE id = {study.pk}"
    refuses(run, role, move, match="unsealed")


def test_the_web_role_makes_no_table_that_a_trigger_could_take_for_ours(run):
    refuses(run, "web", "CREATE TEMPORARY TABLE studies_study (id int)")


def test_a_setting_of_the_session_ignores_no_trigger(run):
    event = record("study.created", actor=None, subject=make.user("carla"), at=make.MONDAY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_event'::regclass AND NOT tgisinternal")
        names = ",".join(name for (name,) in cursor.fetchall())
    assert "append_only" in names
    change = f"SET pgtrigger.ignore = '{{{names}}}'; UPDATE audit_event SET verb = 'x' WHERE id = {event.pk}"
    for role in ("web", "sealed", "owner"):
        refuses(run, role, change, match="Cannot update")


def test_what_the_web_role_writes_enters_the_record(as_web):
    before = Entry.objects.defer("sealed").count()
    event = record("study.created", actor=None, subject=make.user("carla"), at=make.MONDAY)
    entry = Entry.objects.defer("sealed").latest("id")
    assert Entry.objects.defer("sealed").count() == before + 1
    assert (entry.relation, entry.row) == (Event._meta.db_table, str(event.pk))


@pytest.fixture
def as_web(transactional_db):
    """This thread connects as a web process does, with its second connection."""
    name = connection.settings_dict["NAME"]
    outer = connections["default"]
    made = {}
    for role, alias in (("web", "default"), ("sealed", SEALED)):
        address = {**outer.settings_dict, **settings.DATABASE_ADDRESSES[role], "NAME": name}
        made[alias] = type(outer)(address, alias="default")  # a test allows no other
    connections.settings[SEALED] = made[SEALED].settings_dict
    for alias, wrapper in made.items():
        connections[alias] = wrapper
    try:
        yield
    finally:
        for wrapper in made.values():
            wrapper.close()
        del connections[SEALED], connections.settings[SEALED]
        connections["default"] = outer


def test_sealed_work_goes_over_the_second_connection(as_web):
    with pytest.raises(Exception, match="permission denied for table truth_truth"):
        Truth.objects.count()
    with sealed_work():
        assert Truth.objects.count() == 0
        with sealed_work():
            assert is_sealed_work()
        assert Truth.objects.count() == 0
    assert not is_sealed_work()
    with pytest.raises(Exception, match="permission denied"):
        Truth.objects.count()


def test_an_error_ends_sealed_work(as_web):
    with pytest.raises(ZeroDivisionError), sealed_work():
        1 / 0  # noqa: B018 (the error is what matters)
    assert not is_sealed_work()
    with pytest.raises(Exception, match="permission denied"):
        Score.objects.count()


def test_only_the_computation_of_an_item_is_sealed_work():
    computed = []

    def items():
        for number in range(2):
            computed.append(is_sealed_work())
            yield number

    assert [(item, is_sealed_work()) for item in each_sealed(items())] == [(0, False), (1, False)]
    assert computed == [True, True]


def test_sealed_work_cannot_begin_within_a_transaction(as_web):
    with transaction.atomic(), pytest.raises(RuntimeError, match="within a transaction"), sealed_work():
        pass
    with sealed_work(), transaction.atomic(), sealed_work():
        assert Truth.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["manage.py", "migrate"], "owner"),
        (["manage.py", "runserver"], "web"),
        (["manage.py", "work", "--queue", "cpu"], "sealed"),
        (["manage.py", "unseal_study", "migrate"], "sealed"),
        (["celery", "-A", "readerstudy", "worker"], "sealed"),
        (["gunicorn"], "sealed"),  # before it has loaded the application
        (["-c"], "sealed"),
    ],
)
def test_the_command_decides_on_the_role(arguments, role, monkeypatch):
    monkeypatch.setattr(database_roles, "process", None)  # a benchmark that another test has loaded sets it
    assert database_roles.role_of_process(arguments, is_test=False) == role


def test_only_a_web_process_has_two_connections():
    addresses = {role: {"USER": role} for role in ("owner", "web", "sealed")}
    assert database_roles.databases_of("web", addresses) == {"default": {"USER": "web"}, "sealed": {"USER": "sealed"}}
    assert database_roles.databases_of("owner", addresses) == {"default": {"USER": "owner"}}
    assert database_roles.databases_of("sealed", addresses) == {"default": {"USER": "sealed"}}


def test_an_owner_that_may_not_make_roles_says_what_to_run(transactional_db):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE readerstudy_sealed")
        with pytest.raises(ImproperlyConfigured, match='CREATE ROLE "nobody_yet" LOGIN'):
            database_roles._ensure_role(cursor, {"USER": "nobody_yet", "PASSWORD": "x"})
        cursor.execute("RESET ROLE")


def test_an_owner_that_may_not_erase_says_what_to_run(transactional_db):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE readerstudy_sealed")
        with pytest.raises(ImproperlyConfigured, match="GRANT SET ON PARAMETER"):
            database_roles._require_door(cursor)
        cursor.execute("RESET ROLE")
        database_roles._require_door(cursor)


SEED = 918273645918273645


@pytest.fixture
def own_orders(as_web, small):
    """A study that this web process has drawn by `SEED`; its readers have orders of their own, and a crossover."""
    session = ProtocolSession(SessionKind.BLINDED, "A", real=6, adversarial=6, order=ReadingOrder.PER_READER)
    again = ProtocolSession(SessionKind.BLINDED, "B", images_of=1, order=ReadingOrder.PER_READER)
    analysis = AnalysisPlan(before=1, after=2)
    protocol = Protocol(sessions=(session, again), crossover=(1, 2), resolution="low", analysis=analysis)
    with sealed_work():
        films = make.cohort()
        make.adversarial_images_for(films)
        create_study(code="own", title="x", cohort=films, protocol=protocol, seed=SEED, at=make.MONDAY)
    return Study.objects.get()


def test_a_web_process_enrolls_readers_by_a_seed_that_it_cannot_read(own_orders):
    lists = []
    for name in ("rita", "rosa"):
        with transaction.atomic():  # as invitations do it for several readers
            reader = make.reader_in(own_orders, name)
        lists += ReadingList.objects.filter(enrollment__reader=reader).order_by("place")
    swapped = Random(f"{SEED}:crossover:0").random() < 0.5
    one, other = ([2, 1], [1, 2]) if swapped else ([1, 2], [2, 1])
    assert [each.session_plan.number for each in lists] == [*one, *other]
    for each in lists:
        code, number = each.enrollment.code, each.session_plan.number
        images = sorted(each.session_plan.allocations.values_list("stimulus_id", flat=True))
        expected = Random(f"{SEED}:{code}:{number}:{images}")
        drawn = each.session_plan.allocations.order_by("position").values_list("stimulus_id", flat=True)
        shown = each.presentations.order_by("position").values_list("stimulus_id", flat=True)
        assert list(shown) == expected.sample(list(drawn), k=len(images))
    with pytest.raises(Exception, match="permission denied for table truth_drawseed"):
        DrawSeed.objects.count()


def test_nothing_that_the_web_role_can_read_has_the_seed_of_a_draw(own_orders, run):
    make.reader_in(own_orders, "rita")
    unlock_study(study=own_orders, actor=None, reason="Another plan.", at=make.MONDAY)
    lock_study(study=own_orders, actor=None, seed=SEED, at=make.MONDAY)
    kept = [seed for (seed,) in run("sealed", "SELECT seed FROM truth_drawseed")]
    assert kept == [SEED, SEED]
    writings = (str(SEED), f"{SEED:x}", base64.b64encode(str(SEED).encode()).decode(), *digests(str(SEED)))
    rows = 0
    for table in OPEN_TABLES - {"record_entry"}:
        for (row,) in run("web", f"SELECT item::text FROM {table} item"):
            assert not [writing for writing in writings if writing in row], table
            rows += 1
    for row in run("web", "SELECT log, relation, row_id, data, hash::text FROM record_entry"):
        assert not [writing for writing in writings if writing in str(row)]
        rows += 1
    assert rows > 100


def digests(text: str) -> list[str]:
    return [hashlib.new(name, text.encode()).hexdigest() for name in ("md5", "sha1", "sha256")]
