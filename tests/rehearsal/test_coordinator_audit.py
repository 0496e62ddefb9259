"""The coordinator's half of the audit: it reaches everything, reads it well, and finds what it must find."""

import logging
import re

import pytest
from django.core.management import CommandError
from django.db import connection
from django.test import Client

from readerstudy.accounts.models import Role
from readerstudy.desk import views as desk
from readerstudy.reading.actions import problems
from readerstudy.rehearsal.coordinator_audit import PARTS, STARTS, facts_of_log, facts_of_pages
from readerstudy.rehearsal.coordinator_pages import Page, crawl, facts_of_text, links_of, rows_of
from readerstudy.truth.models import Truth
from readerstudy.webhooks.models import Webhook
from tests import make, walk
from tests.rehearsal.test_blinding_audit import audit, one_draw
from tests.tamper import without_triggers

__all__ = ["one_draw"]
CODE = "0123456789abcdef" * 2
TABLE = f"""
<table><thead><tr><th>Session</th><th>Position</th><th>What</th></tr></thead>
<tr><td>3</td><td class="number">2</td><td><a href="/x/17/">cut <b>off</b></a></td></tr></table>
<form method="post" action="/desk/act/"></form> <form action="/desk/search/"></form>
<a href="/desk/a/?b=1#c">A</a> <a href="https://elsewhere.example/desk/">B</a> <div hx-get="rows/"></div> {CODE}
"""


def page(text: str, kind: str = "text/html", address: str = "/desk/x/") -> Page:
    return Page(address, 200, kind, text, 0.1)


# --- reading pages --------------------------------------------------------------------------------------------
def test_links_are_those_of_this_server_and_of_nothing_that_is_posted():
    assert list(links_of(page(TABLE))) == ["/x/17/", "/desk/search/", "/desk/a/?b=1", "/desk/x/rows/"]
    assert list(links_of(page('{"next": "http://127.0.0.1:8/api/?page=2"}', "application/json"))) == ["/api/?page=2"]


def test_a_crawl_opens_each_page_once_and_combines_no_filters():
    linked = {"/a/": ["/a/?f=1", "/b/"], "/a/?f=1": ["/a/?f=1&o=2", "/a/"], "/b/": ["/admin/logout/", "/static/x.css"]}

    def fetch(address):
        return page("".join(f'<a href="{link}">x</a>' for link in linked.get(address, [])), address=address)

    assert [each.address for each in crawl(fetch, ["/a/"], belongs=lambda link: True)] == ["/a/", "/a/?f=1", "/b/"]
    assert len(crawl(fetch, ["/a/"], belongs=lambda link: True, most=2)) == 2


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text/html", TABLE),
        ("text/csv", "session,position,what\n3,2,cut off\n"),
        ("application/json", '{"results": [{"session": 3, "position": 2, "what": "cut off"}]}'),
    ],
)
def test_a_row_is_found_by_session_and_position_in_every_format(kind, text):
    (row,) = [row for row in rows_of(page(text, kind)) if "cut off" in row.values.values()]
    assert {name.lower(): value for name, value in row.values.items()}["position"] == "2"
    facts = facts_of_pages({"open": [page(text, kind)]}, {CODE: (3, 2), "f" * 32: (3, 3)})
    assert list(facts) == [CODE]
    assert any(name.endswith("length") and value == 7 for name, value in facts[CODE].items())


def test_a_row_is_found_by_the_code_and_its_attributes_count():
    text = f'<table><tr><td>1</td><td><a href="/admin/{CODE}/change/41/">x</a></td></tr></table>'
    facts = facts_of_pages({"open": [page(text)]}, {CODE: (3, 2)})
    assert 41 in facts[CODE].values()


def test_values_are_numbers_times_or_texts():
    assert facts_of_text("12.5")["number"] == 12.5
    assert facts_of_text("1970-01-01T00:01:00+00:00")["time"] == 60
    assert facts_of_text("3 of 14") == {"length": 7, "letters": sum(b"3 of 14"), "number 0": 3, "number 1": 14}


def test_lines_of_the_log_are_counted_and_measured():
    facts = facts_of_log([f'"GET /images/{CODE}/" 200 5000', f"slow {CODE}", "nothing"], [CODE])
    assert facts[CODE]["lines"] == 2
    assert facts[CODE]["number 1"] == 5000


# --- leaks ----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.parametrize("leak", ["order of a list", "line of the log"])
def test_a_leak_on_the_coordinators_side_is_found(small, monkeypatch, leak):
    study = make.study()
    altered = set(Truth.objects.filter(authenticity="adversarial").values_list("stimulus_id", flat=True))
    in_order, report = desk.list_reported_images, problems.record

    def sorted_by_truth(shown):
        stimuli = dict(problems.ImageProblem.objects.values_list("pk", "presentation__stimulus_id"))
        return sorted(in_order(shown), key=lambda image: stimuli[image.number] in altered)

    def logged(verb, **values):
        newest = problems.ImageProblem.objects.latest("pk").presentation
        logging.getLogger("readerstudy").warning(
            "%s %s", newest.code, "png" if newest.stimulus_id in altered else "file"
        )
        return report(verb, **values)

    if leak == "order of a list":
        monkeypatch.setattr(desk, "list_reported_images", sorted_by_truth)
    else:
        monkeypatch.setattr(problems, "record", logged)
    with pytest.raises(CommandError, match="blinding is broken"):
        audit(study.code)


# --- the truth changes nothing ----------------------------------------------------------------------------------
def test_no_page_of_a_coordinator_changes_with_the_truth(small, db, monkeypatch):
    """Every page that links lead to, before and after real and adversarial and the labels are exchanged."""
    # A refusal is an event, so the second visit would find another trail.
    monkeypatch.setattr("readerstudy.identity.refused._record", lambda request, status: None)
    study = make.study()
    rita, clara = make.reader_in(study), make.user("clara", Role.COORDINATOR)
    facts = {"facts": ["session.finished"], "url": "https://hook.example.org/", "made_at": make.MONDAY}
    hook = Webhook.objects.create(study=study, owner=clara, **facts)
    walk.finish_session(walk.client_of(rita), study.code, 1)
    client = Client()
    client.force_login(clara)

    def fetch(address):
        answer = client.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return Page(
            address, answer.status_code, answer.headers.get("Content-Type", ""), content.decode(errors="replace"), 0
        )

    def visit():
        starts = [start.format(code=study.code) for start in (*STARTS, "/report/", "/lab/")]
        starts += [f"/api/v1/studies/{study.code}/{part}" for part in PARTS]
        starts += [f"/api/v1/webhooks/{hook.pk}/deliveries/"]
        # An export of the trail is an event of its own, so the next visit finds another trail.
        parts = ("/desk/", "/admin/", "/api/", "/report/")
        pages = crawl(fetch, starts, belongs=lambda link: link.startswith(parts) and "trail.csv" not in link)
        return {each.address: (each.status, _steady(each.text)) for each in pages}

    connection.check_constraints()  # the entries of the record, which a commit writes
    before = visit()
    assert len(before) > 50
    assert any("/people/" in address for address in before)
    assert "session.finished" in before[f"/api/v1/webhooks/{hook.pk}/deliveries/"][1]
    assert "hook.example.org" in before["/desk/webhooks/"][1]
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE truth_truth DROP CONSTRAINT truth_adversarial_has_generator")
        cursor.execute("DROP INDEX one_adversarial_image_per_attack")
        swapped = "CASE authenticity WHEN 'real' THEN 'adversarial' ELSE 'real' END"
        cursor.execute(f"UPDATE truth_truth SET label = 1 - label, authenticity = {swapped}")
    after = visit()
    assert before.keys() == after.keys()
    assert [address for address in before if before[address] != after[address]] == []


def _steady(text: str) -> str:
    """The page without the tokens of its forms, which are masked anew each time, and without the time of day."""
    return re.sub(r'\b[A-Za-z0-9]{64}\b|As of [^.]*\.|"at":"[^"]*"(?=,"reports":)', "", text)
