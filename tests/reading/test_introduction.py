"""What the pages say to readers about the images: who drew them, and what "not real" means."""

import re
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from readerstudy.cohort.models import Cohort
from readerstudy.errors import StudyError
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import Question, QuestionKind
from readerstudy.protocol.rules import AskedVerdict, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.truth.actions import create_study, import_cohort
from tests import make

DRAWN, CLAUSE = "Computer-drawn images", "“real” means not altered"
MEANING = "“Not real” means: a real mammogram of which an attack on an AI system altered a part."
QUALITY = Question("quality", QuestionKind.SCALE, "How good?", minimum=1, maximum=5)


@pytest.fixture
def client(rita):
    client = Client()
    client.force_login(rita)
    return client


def page(client, study, number: int) -> str:
    return client.get(f"/read/{study.code}/{number}/").content.decode()


def part(html: str, name: str) -> str:
    """One section of the page, or its list of keys."""
    begin, end = {"help": ('<dialog id="help"', "</dialog>")}.get(name, (f'data-section="{name}"', "</section>"))
    return html.split(begin, 1)[1].split(end, 1)[0]


def test_each_part_of_a_page_with_drawn_images_says_so_once(study, client):
    Cohort.objects.update(is_drawn=True)
    html = page(client, study, 1)
    assert [len(re.findall(f"{DRAWN}; {CLAUSE}", part(html, name))) for name in ("start", "read", "help")] == [1, 1, 1]
    assert len(re.findall(DRAWN, html)) == 3


def test_pages_with_images_of_patients_say_nothing_of_drawing(study, client):
    assert DRAWN not in page(client, study, 1)


def test_what_not_real_means_is_said_where_it_is_asked(study, client):
    first, second = page(client, study, 1), page(client, study, 2)
    assert MEANING not in first
    assert MEANING in part(second, "help")


def test_a_page_that_waits_says_nothing_of_the_education(study, client):
    html = page(client, study, 4)
    assert "locked until session 3 is done" in html
    assert 'data-panel="image"' in html
    assert not re.search('ltered|data-panel="difference"|Difference|Real minus', html)


def test_a_plan_may_say_what_not_real_means_and_what_it_is_called(rita, client):
    rules = SessionRules(not_real_means="an image that a program made.")
    session = ProtocolSession(SessionKind.BLINDED, "A", real=2, adversarial=2, splits=("tuning", "test"), rules=rules)
    study = own_study(session)
    make.enroll(study=study, reader=rita, at=make.MONDAY)
    assert "“Not real” means: an image that a program made." in part(page(client, study, 1), "start")
    assert study.session_plans.get().rules_data["not_real_means"] == "an image that a program made."


def own_study(*sessions: ProtocolSession):
    films = make.cohort("own-films")
    make.adversarial_images_for(films)
    return create_study(code="own", title="Own", cohort=films, protocol=Protocol(sessions), at=make.MONDAY)


def test_readers_who_must_not_know_of_alterations_learn_only_that_images_are_drawn(rita, client):
    values = {"real": 2, "adversarial": 2, "splits": ("tuning", "test")}
    unprompted = SessionRules(verdict=AskedVerdict.NONE, questions=(QUALITY,))
    quality = ProtocolSession(SessionKind.BLINDED, "Quality", rules=unprompted, **values)
    study = own_study(quality, ProtocolSession(SessionKind.BLINDED, "Second", **values))
    Cohort.objects.update(is_drawn=True)
    make.enroll(study=study, reader=rita, at=make.MONDAY)
    html = page(client, study, 1)
    assert len(re.findall(f"{DRAWN}[.]", html)) == 3
    assert CLAUSE not in html
    assert "means: " not in html
    assert "altered" not in html


# --- the cohort's flag ----------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_phantoms_are_known_to_be_drawn_and_imported_images_are_not(small):
    call_command("make_phantoms", "drawn", patients=12)
    make.cohort("films", patients=3)
    assert dict(Cohort.objects.values_list("name", "is_drawn")) == {"drawn": True, "films": False}
    with pytest.raises(StudyError, match="images not drawn by a computer; import with the same"):
        import_cohort("films", make.MAMMOGRAPHY.draw_phantoms(12, seed=1, size=(64, 52)), seed=1, at=make.MONDAY)


@pytest.mark.django_db
def test_the_migration_marks_the_cohorts_of_phantoms(small):
    call_command("make_phantoms", "drawn", patients=12)
    make.cohort("films", patients=3)
    Cohort.objects.update(is_drawn=False)
    with connection.cursor() as cursor:
        cursor.execute(import_module("readerstudy.truth.migrations.0005_phantoms_are_drawn").MARK)
    assert dict(Cohort.objects.values_list("name", "is_drawn")) == {"drawn": True, "films": False}
