"""Running a study by the API, from its protocol file to the archive, and the acts on its readers."""

import re
from uuid import uuid4

import pytest
from django.core import mail as outbox
from django.utils.timezone import now

from readerstudy.accounts.links import use_link
from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort
from readerstudy.invitations.models import Mail
from readerstudy.jobs.models import Job
from readerstudy.reading.models import ImageProblem, ReadingSession
from readerstudy.studies.actions import draft_study
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, Study
from tests import make, walk
from tests.api.test_schema import call, schema

__all__ = ["call", "schema"]

WHY = {"reason": "A good reason."}
PEOPLE = "Ruth Ott <ruth@example.org>\nPaul Pott; paul@example.org\nno address"


def at(study, path: str = "") -> str:
    return f"/api/v1/studies/{getattr(study, 'code', study)}/{path}"


@pytest.fixture
def desk(clara, django_capture_on_commit_callbacks):
    """Clara's program; what waits for the commit is done with each request."""
    client = walk.client_of(clara)
    post = client.post

    def post_and_commit(*args, **kwargs):
        with django_capture_on_commit_callbacks(execute=True):
            return post(*args, **kwargs)

    client.post = post_and_commit
    return client


@pytest.fixture
def fresh(db, small) -> Study:
    """A study with its own files, whose cohort can be drawn from again."""
    return make.study()


# --- a whole life -----------------------------------------------------------------------------------------------
def test_a_study_lives_from_file_to_archive_by_calls(call, fresh, desk, rosa):
    text = desk.get(at(fresh, "protocol.yaml")).content.decode()
    new = {"code": "second", "title": "A second study", "cohort": fresh.cohort.name, "protocol": text}
    assert call(desk, "post", "/api/v1/studies/", 201, new)["status"] == "draft"
    assert call(desk, "post", "/api/v1/studies/", 400, new)["detail"].startswith("There is a study with the code")
    checked = call(desk, "get", at("second", "checklist/"), 200)
    assert (checked["can_be_locked"], checked["obstacles"]) == (True, [])
    assert [move["name"] for move in call(desk, "get", at("second", "moves/"), 200)] == ["lock", "delete"]
    lock = {"base": checked["design_sha256"]}
    assert call(desk, "post", at("second", "lock/"), 200, lock)["status"] == "locked"
    assert call(desk, "post", at("second", "unlock/"), 200, WHY)["status"] == "draft"
    call(desk, "post", at("second", "lock/"), 200, lock)
    for name, status in (("open", "open"), ("pause", "paused"), ("resume", "open"), ("close", "closed")):
        assert call(desk, "post", at("second", f"{name}/"), 200, WHY)["status"] == status
    client = walk.client_of(rosa)
    Study.objects.get(code="second").members.create(person=rosa, role=Role.RESEARCHER, added_at=make.MONDAY)
    refused = call(client, "post", at("second", "unseal/"), 409, WHY)["detail"]
    assert refused == "second cannot be unsealed yet: images of its patients are still being read in tiny."
    call(desk, "post", at("tiny", "close/"), 200, WHY)
    assert call(client, "post", at("second", "unseal/"), 200, WHY)["status"] == "unsealed"
    assert call(desk, "post", at("second", "archive/"), 200, WHY)["status"] == "archived"
    moved = Event.objects.filter(subject__endswith=f":{Study.objects.get(code='second').pk}", verb__startswith="study.")
    verbs = [verb.removeprefix("study.") for verb in moved.order_by("pk").values_list("verb", flat=True)]
    assert verbs == [
        *("created", "locked", "unlocked", "locked", "opened", "paused", "resumed", "closed", "unsealed", "archived")
    ]


def test_a_move_out_of_turn_is_refused_with_its_rule(call, study, desk, clara):
    assert call(desk, "post", at(study, "open/"), 409, {})["detail"] == "Study tiny is not locked."
    assert "reason" in call(desk, "post", at(study, "close/"), 400, {})["detail"]
    assert call(desk, "post", at(study, "lock/"), 400, {})["detail"].startswith("base: ")
    assert call(desk, "post", at(study, "delete/"), 409, {})["detail"].endswith("only a draft can be changed.")
    values = {"cohort": study.cohort, "protocol": study.protocol, "actor": clara, "at": make.MONDAY}
    draft_study(code="second", title="A rehearsal", is_rehearsal=True, **values)
    refused = call(desk, "post", at("second", "lock/"), 409, {"base": "x"})
    assert refused["detail"] == "The rehearsal second ends by itself."


def test_a_move_sent_twice_is_made_once(call, study, desk):
    call(desk, "post", at(study, "pause/"), 200, WHY)
    call(desk, "post", at(study, "pause/"), 409, WHY)
    assert Event.objects.filter(verb="study.paused").count() == 1


def test_a_draft_that_changed_after_its_check_is_not_locked(call, study, desk):
    text = call(desk, "get", at(study, "protocol/"), 200)["protocol"]
    new = {"code": "second", "title": "A second study", "cohort": study.cohort.name, "protocol": text}
    call(desk, "post", "/api/v1/studies/", 201, new)
    checked = call(desk, "get", at("second", "checklist/"), 200)["design_sha256"]
    changed = {"protocol": re.sub(r"scale: [\d.]+", "scale: 0.02", text), "base": checked}
    assert changed["protocol"] != text
    for _ in range(2):  # the second time there is nothing to change
        call(desk, "put", at("second", "protocol/"), 200, changed)
    again = {"protocol": text, "base": checked}
    assert "changed by somebody else" in call(desk, "put", at("second", "protocol/"), 409, again)["detail"]
    assert "Check it again" in call(desk, "post", at("second", "lock/"), 409, {"base": checked})["detail"]
    assert desk.post(at("second", "delete/"), {}).status_code == 204
    assert not Study.objects.filter(code="second").exists()


def test_a_rehearsal_is_a_job(call, study, desk, monkeypatch):
    monkeypatch.setattr("readerstudy.jobs.queue.app.send_task", lambda *args, **kwargs: None)
    text = call(desk, "get", at(study, "protocol/"), 200)["protocol"]
    new = {"code": "second", "title": "A second study", "cohort": study.cohort.name, "protocol": text}
    call(desk, "post", "/api/v1/studies/", 201, new)
    job = call(desk, "post", at("second", "rehearse/"), 202)["job"]
    assert Job.objects.get(pk=job).parameters["study"] == "second"
    call(desk, "post", at(study, "rehearse/"), 409)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"protocol": "sessions: ["}, "line 1"),
        ({"cohort": "none"}, "cohort: there is no cohort named 'none'."),
        ({"code": "new"}, "code: "),
        ({"title": " "}, "title: "),
        ({"protocol": 3.5e300}, "protocol"),
    ],
)
def test_a_wrong_new_study_is_refused_by_its_field(call, study, desk, change, sentence):
    text = desk.get(at(study, "protocol.yaml")).content.decode()
    new = {"code": "second", "title": "A second study", "cohort": study.cohort.name, "protocol": text, **change}
    assert sentence in call(desk, "post", "/api/v1/studies/", 400, new)["detail"]
    assert Study.objects.count() == 1


# --- readers ----------------------------------------------------------------------------------------------------
def test_readers_are_paused_resumed_and_withdrawn_with_a_reason(call, study, rita, desk):
    assert call(desk, "post", at(study, "readers/R1/pause/"), 200, WHY)["paused_at"]
    assert call(desk, "post", at(study, "readers/R1/resume/"), 200, WHY)["paused_at"] is None
    call(desk, "post", at(study, "readers/R1/withdraw/"), 400, {})
    assert Enrollment.objects.get().takes_part
    assert call(desk, "post", at(study, "readers/R1/withdraw/"), 200, {**WHY, "cause": "consent"})["withdrawn_at"]
    call(desk, "post", at(study, "readers/R1/withdraw/"), 409, WHY)
    assert Event.objects.get(verb="reader.withdrawn").data["cause"] == "consent"
    assert desk.post(at(study, "readers/R9/pause/"), WHY).status_code == 404
    assert desk.post(at(study, "readers/R1/dance/"), WHY).status_code == 404


def test_a_withdrawn_reader_is_replaced_once(call, study, rita, desk):
    call(desk, "post", at(study, "readers/R1/withdraw/"), 200, WHY)
    who = {"first_name": "Pia", "last_name": "Pohl", "address": "pia@example.org"}
    letter = call(desk, "post", at(study, "readers/R1/replacement/"), 201, who)
    assert (letter["user"], letter["state"]) == ("pia.pohl", "by_hand")
    assert call(desk, "get", at(study, "readers/"), 200)[1]["replaces"] == "R1"
    call(desk, "post", at(study, "readers/R1/replacement/"), 400, who)
    other = {**who, "address": "pit@example.org"}
    assert desk.post(at(study, "readers/R1/replacement/"), other).status_code in (400, 409)
    assert Enrollment.objects.count() == 2


def test_a_session_begins_early_and_a_held_one_continues(call, study, rita, desk):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    ReadingList.objects.filter(session_plan__number=2).update(washout_days=9)
    early = at(study, "readers/R1/early/")
    call(desk, "post", early, 200, {**WHY, "session": 2})
    assert ReadingList.objects.get(session_plan__number=2).washout_waived_at
    call(desk, "post", early, 409, {**WHY, "session": 2})
    call(desk, "post", early, 400, {**WHY, "session": -1})
    assert desk.post(early, {**WHY, "session": 77}).status_code == 404
    walk.client_of(rita).post(walk.address(study.code, 2, "open"), {})
    ReadingSession.objects.filter(finished_at=None).update(held_at=now())
    call(desk, "post", at(study, "readers/R1/continue/"), 200, {**WHY, "session": 2})
    assert not ReadingSession.objects.filter(held_at__isnull=False).exists()


def test_a_list_is_checked_and_invited_and_a_second_time_nothing(call, study, desk, settings):
    settings.SENDS_MAIL = True
    where, body = at(study, "invitations/"), {"people": PEOPLE, "days": 7}
    planned = call(desk, "post", where, 200, {**body, "only_check": True})
    assert [row["outcome"] for row in planned["people"]] == ["new", "new"]
    assert [row["line"] for row in planned["problems"]] == [3]
    assert not Mail.objects.exists()
    invited = call(desk, "post", where, 201, body)
    assert [row["text"] for row in invited["letters"]] == ["", ""]
    assert "/account/sign-in/" not in str(invited)
    again = call(desk, "post", where, 200, body)
    assert [row["outcome"] for row in again["people"]] == ["already_in", "already_in"]
    assert (len(outbox.outbox), User.objects.filter(role=Role.READER).count()) == (2, 2)
    people = call(desk, "get", where, 200)
    assert [(row["code"], row["link"], row["mail"]["kind"]) for row in people] == [
        ("R1", "sent", "invitation"),
        ("R2", "sent", "invitation"),
    ]
    mails = call(desk, "get", at(study, "mails/"), 200)
    assert [row["user"] for row in mails["results"]] == ["paul.pott", "ruth.ott"]


def test_a_link_is_sent_returned_as_text_and_revoked(call, study, desk, settings):
    settings.SENDS_MAIL = True
    call(desk, "post", at(study, "invitations/"), 201, {"people": PEOPLE})
    link = at(study, "readers/R1/link/")
    assert call(desk, "post", link, 201, {"kind": "reminder"})["text"] == ""
    assert outbox.outbox[-1].subject.startswith("Reminder")
    text = call(desk, "post", link, 201, {"by_hand": True})["text"]
    token = re.search(r"/account/sign-in/([\w-]+)/", text)[1]
    assert desk.delete(link).status_code == 204
    call(desk, "delete", link, 409)
    with pytest.raises(Exception, match="revoked"):
        use_link(token, at=now())


# --- figures ----------------------------------------------------------------------------------------------------
def test_the_monitor_has_the_figures_of_the_page_and_no_verdict(call, study, rita, desk):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    answer = call(desk, "get", at(study, "monitor/"), 200)
    (reader,) = answer["readers"]
    assert (reader["code"], reader["answered"], len(reader["sessions"])) == ("R1", 3, 5)
    assert [each["state"] for each in reader["sessions"][:2]] == ["done", "ready"]
    assert "verdict" not in str(answer)


def test_a_reported_image_is_excluded_and_included_again(call, study, rita, desk):
    presentation = Presentation.objects.first()
    problem = ImageProblem.objects.create(presentation=presentation, text="Cut off.", at=make.MONDAY, key=uuid4())
    decide = at(study, f"reports/{problem.pk}/")
    call(desk, "post", f"{decide}exclude/", 400, {"reason": ""})
    assert call(desk, "post", f"{decide}exclude/", 200, WHY)["exclusion_reason"] == WHY["reason"]
    call(desk, "post", f"{decide}exclude/", 409, WHY)
    (line,) = call(desk, "get", at(study, "reports/"), 200)
    assert (line["reader"], line["position"], line["exclusion_reason"]) == ("R1", 1, WHY["reason"])
    assert presentation.stimulus.sha256 not in str(line)
    assert call(desk, "post", f"{decide}include/", 200, WHY)["exclusion_reason"] == ""


def test_cohorts_are_counts(call, study, desk):
    (cohort,) = call(desk, "get", "/api/v1/cohorts/", 200)
    assert call(desk, "get", f"/api/v1/cohorts/{cohort['name']}/", 200) == cohort
    assert desk.get("/api/v1/cohorts/none/").status_code == 404
    assert cohort["studies"] == ["tiny"]
    assert cohort["images"] == sum(cohort["splits"].values()) == sum(row["total"] for row in cohort["pathologies"])
    assert cohort["patients"] == Cohort.objects.get().patients.count()


def test_strangers_find_no_study_by_any_call(study, rita):
    carl = walk.client_of(make.stranger("carl", Role.COORDINATOR))
    calls = ("lock/", "open/", "readers/R1/withdraw/", "readers/R1/link/", "invitations/", "monitor/", "rehearse/")
    for path in calls:
        answers = [carl.post(at(code, path), WHY) for code in ("tiny", "none")]
        if answers[0].status_code == 405:
            answers = [carl.get(at(code, path)) for code in ("tiny", "none")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["detail"].replace("tiny", "none") == answers[1].json()["detail"]
    assert carl.get("/api/v1/cohorts/").json()[0]["studies"] == []
