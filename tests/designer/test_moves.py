"""The moves of a study: each asks, says what it changes, and is made once, even if two people make it together."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from readerstudy.audit.models import Event
from readerstudy.designer.actions import lock_draft
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.studies.actions import ChangedMeanwhile, edit_draft
from readerstudy.studies.lifecycle import SOURCES, StudyStatus
from readerstudy.studies.models import Study, WrongStatus
from readerstudy.studies.transitions import MOVES, MOVES_BY_NAME
from readerstudy.truth.seeds import seed_of
from tests import make, walk

WHY = {"reason": "Because of the test."}
TARGETS = {
    "lock": StudyStatus.LOCKED,
    "open": StudyStatus.OPEN,
    "pause": StudyStatus.PAUSED,
    "resume": StudyStatus.OPEN,
    "unlock": StudyStatus.DRAFT,
    "close": StudyStatus.CLOSED,
    "unseal": StudyStatus.UNSEALED,
    "confirm-unsealing": StudyStatus.UNSEALED,
    "archive": StudyStatus.ARCHIVED,
}


def move(client: Client, study: Study, name: str, **fields):
    answer = client.post(reverse("designer:move", args=[study.code, name]), fields)
    study.refresh_from_db()
    return answer


def researcher(rosa) -> Client:
    client = Client()
    client.force_login(rosa)
    return client


def test_every_move_begins_where_the_lifecycle_lets_it():
    assert set(MOVES_BY_NAME) == {*TARGETS, "delete", "request-unsealing", "withdraw-unsealing"}
    for each in MOVES:
        if each.name in TARGETS:
            assert set(each.sources) <= set(SOURCES[TARGETS[each.name]]), each.name


def test_a_study_goes_its_whole_way_by_buttons(desk, draft, rosa):
    client = researcher(rosa)
    move(desk, draft, "lock", base=draft.design_sha256)
    assert draft.status == "locked"
    ways = (("unlock", WHY), ("lock", {}), ("open", {}), ("pause", WHY), ("resume", {}), ("close", WHY))
    for name, fields in ways:
        extra = {"base": draft.design_sha256} if name == "lock" else {"code": draft.code}
        assert move(desk, draft, name, **fields, **extra).status_code == 302, name
        assert draft.status == TARGETS[name]
    move(client, draft, "request-unsealing", **WHY)
    move(desk, draft, "confirm-unsealing", code=draft.code)
    assert draft.status == "unsealed"
    move(client, draft, "archive", **WHY)
    assert draft.status == "archived"


@pytest.mark.parametrize("name", ["open", "pause", "resume", "close", "unlock", "archive"])
def test_a_move_that_is_not_possible_now_is_neither_offered_nor_made(desk, draft, name):
    page = desk.get(reverse("desk:study", args=[draft.code])).content.decode()
    assert reverse("designer:move", args=[draft.code, name]) not in page
    assert move(desk, draft, name, code=draft.code, **WHY)["Location"] == reverse("desk:study", args=[draft.code])
    assert draft.status == "draft"


def test_unlocking_is_not_offered_once_a_reader_has_begun(desk, study, rita):
    unlock = reverse("designer:move", args=[study.code, "unlock"])
    study_page, design_page = (reverse(name, args=[study.code]) for name in ("desk:study", "designer:design"))
    assert unlock in desk.get(study_page).content.decode()
    assert "until a reader has begun" in desk.get(design_page).content.decode()
    walk.open_session(walk.client_of(rita), study.code, 1)
    page = desk.get(study_page).content.decode()
    assert unlock not in page
    assert "A reader has begun, so the study cannot be unlocked" in page
    assert "until a reader has begun" not in desk.get(design_page).content.decode()
    assert "A reader has begun" in desk.get(unlock, follow=True).content.decode()


def test_deleting_is_not_offered_after_an_unlock(desk, study):
    move(desk, study, "unlock", **WHY)
    page = desk.get(reverse("desk:study", args=[study.code])).content.decode()
    assert reverse("designer:move", args=[study.code, "delete"]) not in page
    assert "its earlier draws stay on record, so it cannot be deleted" in page


def test_a_move_that_does_not_exist_is_not_found(desk, draft):
    assert move(desk, draft, "explode").status_code == 404


@pytest.mark.parametrize("fields", [{}, {"reason": " ", "code": "tiny"}, {"reason": "x"}, {**WHY, "code": "other"}])
def test_closing_needs_a_reason_and_the_code(desk, study, fields):
    assert move(desk, study, "close", **fields).status_code == 400
    assert study.status == "open"


def test_closing_shows_what_each_reader_has_not_read(desk, study, rita):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    make.reader_in(study, "paul")
    page = desk.get(reverse("designer:move", args=[study.code, "close"]))
    rows = [(each.reader, each.sessions, each.readings, each.has_begun) for each in page.context["missing"]]
    assert rows == [("R1", (2, 3, 4, 5), 34, True), ("R2", (1, 2, 3, 4, 5), 37, False)]
    assert "stay missing" in page.content.decode()


def test_closing_is_recorded_with_its_reason(desk, study, clara):
    move(desk, study, "close", code=study.code, **WHY)
    event = Event.objects.get(verb="study.closed")
    assert (event.actor, event.data["reason"]) == (clara, WHY["reason"])


def test_only_a_researcher_unseals_and_sees_what_is_missing(desk, study, rita, rosa):
    move(desk, study, "close", code=study.code, **WHY)
    assert move(desk, study, "unseal", **WHY).status_code == 403
    page = desk.get(reverse("desk:study", args=[study.code])).content.decode()
    assert "Unseal" not in page
    client = researcher(rosa)
    shown = client.get(reverse("designer:move", args=[study.code, "unseal"]))
    assert [each.readings for each in shown.context["missing"]] == [37]
    assert move(client, study, "unseal").status_code == 400
    move(client, study, "unseal", **WHY)
    assert study.is_unsealed


def test_a_draft_that_lacks_images_cannot_be_locked_and_says_why(desk, films, draft):
    protocol = protocol_of_template("zhou2021", words=films.modality.words.reading)
    edit_draft(study=draft, protocol=protocol, actor=None, at=make.MONDAY)
    page = desk.get(reverse("designer:move", args=[draft.code, "lock"])).content.decode()
    assert "Session 3, Real images" in page
    assert 'class="primary"' not in page
    assert move(desk, draft, "lock", base=draft.design_sha256).status_code == 409
    assert draft.status == "draft"


def test_a_draft_that_was_changed_after_the_check_is_not_locked(desk, draft):
    seen = draft.design_sha256
    edit_draft(study=draft, title="Theirs", actor=None, at=make.MONDAY)
    answer = move(desk, draft, "lock", base=seen)
    assert answer.status_code == 409
    assert "changed since you checked it" in answer.content.decode()
    assert draft.status == "draft"


def test_a_draft_is_deleted_after_a_question(desk, draft, clara):
    assert "Delete this draft?" in desk.get(reverse("designer:move", args=[draft.code, "delete"])).content.decode()
    answer = desk.post(reverse("designer:move", args=[draft.code, "delete"]))
    assert answer["Location"] == reverse("desk:board")
    assert not Study.objects.filter(code=draft.code).exists()
    assert Event.objects.get(verb="study.deleted").actor == clara


def test_a_rehearsal_has_no_moves(desk, db, small):
    copy = make.study("tiny-rehearsal", is_rehearsal=True)
    move(desk, copy, "close", code=copy.code, **WHY)
    assert copy.status == "open"


def test_the_truth_of_no_image_stands_on_a_page_of_the_designer(desk, draft, rosa):
    """What a coordinator gets names counts of splits and pathologies, and no image."""
    for name in ("design", "download"):
        page = desk.get(reverse(f"designer:{name}", args=[draft.code])).content.decode()
        assert "/media/" not in page
        assert ".png" not in page
    move(desk, draft, "lock", base=draft.design_sha256)
    unsealed = [str(seed_of(draft))]
    for name in ("design", "download"):
        page = desk.get(reverse(f"designer:{name}", args=[draft.code])).content.decode()
        assert not any(text in page for text in unsealed)


# --- two at once ----------------------------------------------------------------------------------------------------
def at_once(*works):
    """Run the works at the same time, each on a connection of its own; return their errors or None."""

    def run(work):
        try:
            work()
        except (ChangedMeanwhile, WrongStatus) as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_the_same_version_at_once_one_is_refused(small):
    study = make_draft()
    base = study.design_sha256
    works = [
        lambda name=name: edit_draft(
            study=Study.objects.get(pk=study.pk), title=name, actor=None, at=make.MONDAY, base=base
        )
        for name in ("Mine", "Theirs")
    ]
    assert sorted(at_once(*works), key=str) == sorted([None, ChangedMeanwhile], key=str)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_lock_at_once_one_is_refused(small):
    study = make_draft()
    base = study.design_sha256
    works = [
        lambda: lock_draft(study=Study.objects.get(pk=study.pk), base=base, actor=None, at=make.MONDAY)
        for _each in range(2)
    ]
    assert sorted(at_once(*works), key=str) == sorted([None, WrongStatus], key=str)
    study.refresh_from_db()
    assert study.session_plans.count() == 5


@pytest.mark.django_db(transaction=True)
def test_a_save_and_a_lock_at_once_never_lock_what_was_not_checked(small):
    study = make_draft()
    base, title = study.design_sha256, study.title

    def save():
        edit_draft(study=Study.objects.get(pk=study.pk), title="Theirs", actor=None, at=make.MONDAY, base=base)

    def lock():
        lock_draft(study=Study.objects.get(pk=study.pk), base=base, actor=None, at=make.MONDAY)

    outcome = at_once(save, lock)
    study.refresh_from_db()
    locked = (study.status, study.title, outcome) == ("locked", title, [WrongStatus, None])
    saved = (study.status, study.title, outcome) == ("draft", "Theirs", [None, ChangedMeanwhile])
    assert locked or saved


def make_draft() -> Study:
    from readerstudy.studies.actions import draft_study

    films = make.cohort(name="films-race")
    make.adversarial_images_for(films)
    protocol = protocol_of_template("zhou2021", words=films.modality.words.reading, scale=0.03)
    return draft_study(code="race", title="A race", cohort=films, protocol=protocol, actor=None, at=make.MONDAY)
