"""Two persons unseal a study, unless its plan says one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from threading import Barrier

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.celery import app
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.protocol.yaml_file import read_protocol, write_protocol
from readerstudy.record.models import Entry
from readerstudy.studies.actions import close_study, end_expired_requests
from readerstudy.studies.models import Study, UnsealingRequest, WrongStatus
from readerstudy.truth.actions import (
    confirm_unsealing,
    request_unsealing,
    unseal_study,
    withdraw_request,
)
from readerstudy.truth.models import Unsealing
from readerstudy.truth.queries import find_unsealing
from tests import make, walk

pytestmark = pytest.mark.django_db
AT = {"at": make.MONDAY}
WHY = {"reason": "All have read."}
LATER = make.MONDAY + timedelta(hours=2)
TOO_LATE = make.MONDAY + timedelta(days=8)


@pytest.fixture
def closed(small, rosa, clara) -> Study:
    """A closed study that two persons unseal."""
    study = make.study(persons_to_unseal=2)
    make.join([rosa, clara], [study])
    close_study(study=study, actor=None, **WHY, **AT)
    return study


def verbs(study: Study) -> list[str]:
    events = Event.objects.filter(study=study.code, verb__regex="unseal").order_by("pk")
    return list(events.values_list("verb", flat=True))


# --- two persons ----------------------------------------------------------------------------------------------
def test_the_plan_says_how_many_and_two_is_the_default(small):
    study = make.study(persons_to_unseal=None)
    assert (study.plan["persons_to_unseal"], study.persons_to_unseal) == (2, 2)
    one = make.study("one", persons_to_unseal=1)
    assert (one.plan["persons_to_unseal"], one.persons_to_unseal) == (1, 1)
    assert study.plan_sha256 != one.plan_sha256
    copy = make.study("tiny-rehearsal", is_rehearsal=True, persons_to_unseal=2)
    assert copy.persons_to_unseal == 1


def test_a_protocol_file_says_how_many_persons_unseal():
    words = make.MAMMOGRAPHY.words.reading
    protocol = protocol_of_template("zhou2021", words=words)
    assert "persons_to_unseal" not in protocol.as_data()
    text = write_protocol(Protocol(protocol.sessions, persons_to_unseal=1))
    assert "persons_to_unseal: 1" in text
    assert read_protocol(text.encode(), words=words).persons_to_unseal == 1
    with pytest.raises(BadInput, match="persons_to_unseal: must be a whole number from 1 to 2"):
        read_protocol(text.replace("unseal: 1", "unseal: 3").encode(), words=words)


def test_one_requests_and_another_confirms(closed, rosa, clara):
    request = request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    assert closed.is_sealed
    unsealing = confirm_unsealing(study=closed, actor=clara, at=LATER)
    assert (closed.status, unsealing.by, unsealing.confirmed_by, unsealing.at) == ("unsealed", rosa, clara, LATER)
    request.refresh_from_db()
    assert (request.outcome, request.ended_by) == ("confirmed", clara)
    assert verbs(closed) == ["unsealing.requested", "study.unsealed"]
    found = find_unsealing(closed)
    assert (found.by, found.confirmed_by, found.reason) == (rosa, clara, WHY["reason"])
    connection.check_constraints()
    assert Entry.objects.filter(log=closed.code, relation="studies_unsealingrequest").count() == 2


def test_nobody_confirms_their_own_request(closed, rosa):
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    with pytest.raises(NotAllowed, match="another person has to confirm it"):
        confirm_unsealing(study=closed, actor=rosa, at=LATER)
    assert Study.objects.get().status == "closed"


def test_only_members_confirm_and_only_researchers_request(closed, clara, rosa):
    sam = make.stranger("sam", Role.RESEARCHER)
    with pytest.raises(NotAllowed, match="Only researchers"):
        request_unsealing(study=closed, actor=clara, **WHY, **AT)
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    for act in (confirm_unsealing, lambda **values: withdraw_request(**values, **WHY)):
        with pytest.raises(NotAllowed, match="Only coordinators and researchers of the study"):
            act(study=closed, actor=sam, at=LATER)
    assert verbs(closed) == ["unsealing.requested"]


def test_one_person_alone_unseals_no_study_of_two(closed, rosa):
    for actor in (rosa, None):
        with pytest.raises(StudyError, match="two persons unseal the study tiny"):
            unseal_study(study=closed, actor=actor, **WHY, **AT)
    assert not Unsealing.objects.exists()


def test_a_study_of_one_person_takes_no_request(small, rosa):
    study = make.study()
    make.join([rosa], [study])
    close_study(study=study, actor=None, **WHY, **AT)
    with pytest.raises(StudyError, match="One person unseals the study tiny"):
        request_unsealing(study=study, actor=rosa, **WHY, **AT)
    unseal_study(study=study, actor=rosa, **WHY, **AT)
    assert study.is_unsealed


def test_a_request_needs_a_reason_and_a_closed_study(small, rosa, closed):
    with pytest.raises(BadInput, match="Enter a reason"):
        request_unsealing(study=closed, actor=rosa, reason=" ", **AT)
    other = make.study("other", persons_to_unseal=2)
    make.join([rosa], [other])
    with pytest.raises(WrongStatus, match="not closed"):
        request_unsealing(study=other, actor=rosa, **WHY, **AT)
    assert not UnsealingRequest.objects.exists()


def test_only_one_request_waits(closed, rosa):
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    with pytest.raises(StudyError, match="requested already"):
        request_unsealing(study=closed, actor=rosa, **WHY, **AT)


def test_a_withdrawn_request_unseals_nothing(closed, rosa, clara):
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    with pytest.raises(BadInput):
        withdraw_request(study=closed, actor=rosa, reason="", at=LATER)
    withdraw_request(study=closed, actor=rosa, reason="Too early.", at=LATER)
    with pytest.raises(StudyError, match="Nobody has requested the unsealing"):
        confirm_unsealing(study=closed, actor=clara, at=LATER)
    assert verbs(closed) == ["unsealing.requested", "unsealing.withdrawn"]
    request_unsealing(study=closed, actor=rosa, **WHY, at=LATER)
    confirm_unsealing(study=closed, actor=clara, at=LATER)
    assert closed.is_unsealed


def test_an_expired_request_unseals_nothing_and_is_recorded(closed, rosa, clara):
    request = request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    with pytest.raises(StudyError, match="expired on"):
        confirm_unsealing(study=closed, actor=clara, at=TOO_LATE)
    request.refresh_from_db()
    assert (request.outcome, request.ended_at, request.ended_by) == ("expired", request.expires_at, None)
    assert Study.objects.get().status == "closed"
    request_unsealing(study=closed, actor=rosa, **WHY, at=TOO_LATE)
    assert verbs(closed) == ["unsealing.requested", "unsealing.expired", "unsealing.requested"]


def test_an_expired_request_is_recorded_when_its_time_is_over(closed, rosa):
    request = request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    assert end_expired_requests(at=request.expires_at) == 0
    assert end_expired_requests(at=TOO_LATE) == 1
    assert end_expired_requests(at=TOO_LATE) == 0
    assert verbs(closed) == ["unsealing.requested", "unsealing.expired"]
    event = Event.objects.get(verb="unsealing.expired")
    assert (event.actor, event.data["expires_at"]) == (None, request.expires_at.isoformat())


def test_the_schedule_ends_expired_requests(closed, rosa, settings):
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)  # long ago
    import_module("readerstudy.studies.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    entry = settings.CELERY_BEAT_SCHEDULE["end expired requests"]
    assert "readerstudy.studies.tasks" in (settings.BASE_DIR / "deploy" / "beat").read_text(encoding="utf-8")
    app.tasks[entry["task"]]()
    assert verbs(closed) == ["unsealing.requested", "unsealing.expired"]


@pytest.mark.parametrize("address", ["/desk/", "/desk/studies/{}/", "/report/{}/", "/api/v1/studies/{}/"])
def test_a_page_that_shows_a_request_ends_it_when_it_expired(closed, rosa, address):
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    client = Client()
    client.force_login(rosa)
    for _again in range(2):
        assert client.get(address.format(closed.code)).status_code == 200
        assert verbs(closed) == ["unsealing.requested", "unsealing.expired"]


# --- the database ---------------------------------------------------------------------------------------------
def test_the_database_unseals_no_study_of_two_without_a_confirmation(closed, rosa, clara):
    with pytest.raises(InternalError, match="nobody has confirmed it"), transaction.atomic():
        closed.mark_unsealed(at=LATER)
    request = request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    with pytest.raises(InternalError, match="nobody has confirmed it"), transaction.atomic():
        Study.objects.filter(pk=closed.pk).update(status="unsealed", unsealed_at=LATER)
    rows = UnsealingRequest.objects.filter(pk=request.pk)
    for changes in (
        {"outcome": "confirmed", "ended_by": rosa, "ended_at": LATER},
        {"outcome": "confirmed", "ended_by": clara, "ended_at": TOO_LATE},
        {"outcome": "confirmed", "ended_by": None, "ended_at": LATER},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**changes)
    with pytest.raises(IntegrityError, match="unsealing_by_two_persons"), transaction.atomic():
        Unsealing.objects.create(study=closed, by=rosa, confirmed_by=rosa, reason="x", at=LATER)


def test_a_request_that_has_ended_is_kept_as_it_is(closed, rosa):
    request = request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    rows = UnsealingRequest.objects.filter(pk=request.pk)
    with pytest.raises(InternalError), transaction.atomic():
        rows.update(reason="Another.")
    withdraw_request(study=closed, actor=rosa, **WHY, at=LATER)
    for act in (rows.delete, lambda: rows.update(outcome="", ended_at=None, ended_by=None)):
        with pytest.raises(InternalError), transaction.atomic():
            act()


# --- two at once ----------------------------------------------------------------------------------------------
def at_once(*works) -> list:
    """Start the works at the same time, each on a connection of its own; return what each raised, or "done"."""
    barrier = Barrier(len(works))

    def run(work):
        try:
            barrier.wait()
            work()
        except StudyError as error:
            return type(error)
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_at_once_one_unseals(closed, rosa, clara):
    carl = make.user("carl", Role.COORDINATOR)
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    works = [lambda who=who: confirm_unsealing(study=Study.objects.get(), actor=who, at=LATER) for who in (clara, carl)]
    outcome = at_once(*works)
    assert sorted(outcome, key=str) == sorted(["done", WrongStatus], key=str)
    assert Unsealing.objects.get().confirmed_by in (clara, carl)
    assert verbs(closed) == ["unsealing.requested", "study.unsealed"]


@pytest.mark.django_db(transaction=True)
def test_of_a_withdrawal_and_a_confirmation_at_once_one_counts(closed, rosa, clara):
    request_unsealing(study=closed, actor=rosa, **WHY, **AT)
    outcome = at_once(
        lambda: confirm_unsealing(study=Study.objects.get(), actor=clara, at=LATER),
        lambda: withdraw_request(study=Study.objects.get(), actor=rosa, **WHY, at=LATER),
    )
    assert outcome.count("done") == 1
    study = Study.objects.get()
    assert study.is_unsealed is (outcome[0] == "done") is Unsealing.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_is_made(closed, rosa):
    ruth = make.user("ruth", Role.RESEARCHER)
    works = [
        lambda who=who: request_unsealing(study=Study.objects.get(), actor=who, **WHY, **AT) for who in (rosa, ruth)
    ]
    assert sorted(at_once(*works), key=str) == sorted(["done", StudyError], key=str)
    assert UnsealingRequest.objects.count() == 1


# --- pages and API --------------------------------------------------------------------------------------------
def browser_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def move(client: Client, study: Study, name: str, **fields):
    return client.post(reverse("designer:move", args=[study.code, name]), fields)


def test_each_page_offers_what_its_person_may_do(closed, rosa, clara):
    def offered(person) -> set[str]:
        page = browser_of(person).get(reverse("desk:study", args=[closed.code])).content.decode()
        names = ("unseal", "request-unsealing", "confirm-unsealing", "withdraw-unsealing")
        return {name for name in names if f'{reverse("designer:move", args=[closed.code, name])}"' in page}

    assert (offered(rosa), offered(clara)) == ({"request-unsealing"}, set())
    assert move(browser_of(clara), closed, "request-unsealing", **WHY).status_code == 403
    assert move(browser_of(rosa), closed, "request-unsealing").status_code == 400
    assert move(browser_of(rosa), closed, "request-unsealing", **WHY).status_code == 302
    assert offered(rosa) == {"withdraw-unsealing"}
    boards = [browser_of(person).get(reverse("desk:board")).content.decode() for person in (rosa, clara)]
    assert ["Its unsealing is requested" in board for board in boards] == [False, True]
    assert offered(clara) == {"confirm-unsealing", "withdraw-unsealing"}
    page = browser_of(clara).get(reverse("designer:move", args=[closed.code, "confirm-unsealing"])).content.decode()
    assert "Requested by rosa" in page
    assert WHY["reason"] in page
    move(browser_of(rosa), closed, "confirm-unsealing", code=closed.code)
    closed.refresh_from_db()
    assert closed.status == "closed"
    assert move(browser_of(clara), closed, "confirm-unsealing").status_code == 400  # the code is missing
    move(browser_of(clara), closed, "confirm-unsealing", code=closed.code)
    closed.refresh_from_db()
    assert closed.is_unsealed
    page = browser_of(clara).get(reverse("desk:study", args=[closed.code])).content.decode()
    assert "Confirmed · clara" in " ".join(page.split())


def test_the_report_of_a_sealed_study_leads_to_the_request(closed, rosa):
    page = browser_of(rosa).get(reverse("report:study", args=[closed.code])).content.decode()
    assert reverse("designer:move", args=[closed.code, "request-unsealing"]) in page
    assert reverse("report:unseal", args=[closed.code]) not in page
    assert browser_of(rosa).post(reverse("report:unseal", args=[closed.code]), WHY).status_code == 409
    closed.refresh_from_db()
    assert closed.status == "closed"


def test_the_administration_offers_the_same_moves(closed, rosa, clara):
    request_unsealing(study=closed, actor=rosa, **WHY, at=now())
    address = reverse("admin:studies_study_change", args=[closed.pk])
    for person, is_offered in ((rosa, False), (clara, True)):
        page = browser_of(person).get(address).content.decode()
        assert ("move-confirm-unsealing" in page) is is_offered
        assert "move-withdraw-unsealing" in page
        assert "move-unseal" not in page


def test_the_api_makes_the_same_moves(closed, rosa, clara):
    ours, theirs = walk.client_of(rosa), walk.client_of(clara)
    base = f"/api/v1/studies/{closed.code}/"
    assert ours.post(f"{base}unseal/", WHY).status_code == 409
    assert ours.post(f"{base}request-unsealing/", WHY).status_code == 200
    assert ours.post(f"{base}confirm-unsealing/", {}).status_code == 403
    (request,) = theirs.get(base).json()["unsealing_requests"]
    assert (request["by"], request["outcome"], request["ended_by"]) == ("rosa", "", None)
    names = [line["name"] for line in theirs.get(f"{base}moves/").json()]
    assert names == ["confirm-unsealing", "withdraw-unsealing"]
    assert theirs.post(f"{base}confirm-unsealing/", {}).json()["status"] == "unsealed"
