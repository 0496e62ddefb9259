"""The page of operation: for superusers, with the checks and figures of the installation."""

from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.operation import health, history
from readerstudy.operation.figures import take_figures
from readerstudy.operation.page import points, rows_of
from tests import make, walk


@pytest.fixture
def page(db, monkeypatch, settings):
    settings.CELERY_BROKER_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS = "memory://", {}
    monkeypatch.setattr(health.connection, "close", lambda: None)
    monkeypatch.setattr("readerstudy.operation.page.examiner", SimpleNamespace(health=health.examine))
    ada, client = make.user("ada", Role.RESEARCHER, is_superuser=True), Client()
    client.force_login(ada)
    return lambda: client.get("/desk/operation/").content.decode()


def test_a_superuser_sees_checks_and_figures(page, study, rita):
    client = walk.client_of(rita)
    client.post(walk.address(study.code, 1, "open"))
    text = page()
    assert "No worker has reported." in text
    assert "Sessions that are not finished" in text
    assert study.code not in text
    assert "rita" not in text


def test_the_board_links_to_it_for_superusers_only(page, client):
    clara = make.user("clara", Role.COORDINATOR)
    client.force_login(clara)
    assert "/desk/operation/" not in client.get("/desk/").content.decode()
    assert client.get("/desk/operation/").status_code == 403


def test_lines_grow_by_one_sample_a_minute(page):
    page()
    page()
    assert len(history.history()) == 1
    cache.delete(history._NEWEST)
    assert page().count("<polyline") == 8
    assert len(history.history()) == 2


@pytest.mark.django_db
def test_a_history_is_bounded(monkeypatch, settings):
    settings.CELERY_BROKER_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS = "memory://", {}
    monkeypatch.setattr(history, "KEPT", 3)
    figures = take_figures(at=now())
    for _ in range(5):
        cache.delete(history._NEWEST)
        history.note_sample(figures)
    assert len(history.history()) == 3


def test_points_of_a_line_lie_in_its_box():
    assert points([1]) == ""
    assert points([0, 5, 10]) == "0.0,24.0 60.0,12.0 120.0,0.0"
    assert points([0, 0]) == "0.0,24.0 120.0,24.0"


@pytest.mark.django_db
def test_a_broker_that_is_away_is_no_error(settings, monkeypatch):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    figures = take_figures(at=now())
    assert figures.queues is None
    assert {row.label: row.value for row in rows_of(figures, [])}["Messages in the queues"] == "none"
