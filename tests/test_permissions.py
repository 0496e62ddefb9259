"""The permission matrix: who may reach which address by which verb.

`permissions.txt` has a line for each address of the application, with a letter for each person below. An address that
is missing there fails the test, so that nobody adds a page without saying for whom it is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from readerstudy.accounts.models import Role
from readerstudy.reading.models import ImageProblem, ReadingSession
from readerstudy.studies.actions import add_member
from readerstudy.studies.models import Presentation
from tests import make, roles
from tests.analysis import rows

TABLE = Path(__file__).with_name("permissions.txt")
PEOPLE = {
    "nobody": "a visitor who has not signed in",
    "reader": "a reader of the study",
    "clara": "a coordinator of the study",
    "carl": "a coordinator who takes no part in it",
    "rosa": "a researcher of the study",
    "ralph": "a researcher who takes no part in it",
    "ruth": "a researcher who coordinates the study",
}
# Tested elsewhere: the reader's API (tests/api), signing in (tests/accounts).
LEFT_OUT = ("account/", "api/v1/reading/", "api/v1/token/", "admin/login/", "admin/logout/")
# Numbers in addresses belong to the study's own rows.
ROWS = {
    "resume/": lambda study: ReadingSession.objects.filter(reading_list__enrollment__study=study).first(),
    "images/": lambda study: ImageProblem.objects.first(),
    "reports/": lambda study: ImageProblem.objects.first(),
    "people/": lambda study: study.enrollments.first(),
    "team/": lambda study: study.members.first(),
    "readers/": lambda study: study.enrollments.first(),
}
# Names in addresses, by the part before them; the first that there is.
NAMES = {
    "reports/": "exclude",
    "cohorts/": "films",
    "moves/": "close",
    "send/": "cohort",
    "start/": "evaluate",
    "people/": "remind",
    "readers/": "withdraw",
    "record/": "heads",
}


def patterns(resolver=None, prefix: str = "") -> Iterator[str]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        elif not route.startswith(LEFT_OUT) and "(?P" not in route and "<path:content" not in route and _is_form(route):
            yield route


def _is_form(route: str) -> bool:
    """Of the rows of the administration, their forms are enough: the history and Django's old addresses follow them."""
    return "<path:object_id>" not in route or route.endswith("/change/")


def address_of(route: str, study) -> str:
    """The route with the study's own code and rows."""
    parts, kinds = [], {"int": "1", "slug": study.code, "str": "x", "uuid": str(UUID(int=1)), "path": _row_of(route)}
    kinds |= {"move": "close", "panel": "real"}
    for part in route.split("/"):
        before = f"{parts[-1]}/" if parts else ""
        is_row = part == "<int:number>" and before in ROWS and f"/{study.code}/" in "/".join(parts) + "/"
        if route.startswith("desk/people/") and part == "<slug:name>":
            parts.append("deactivate")
        elif is_row:
            parts.append(str(ROWS[before](study).pk))
        elif part in ("<slug:name>", "<slug:kind>") and (
            known := [NAMES[name] for name in NAMES if f"/{name}" in route]
        ):
            parts.append(known[0])
        elif route.startswith("desk/people/") and part == "<int:number>":
            parts.append(str(study.enrollments.first().reader_id))
        elif part == "<slug:reader>":
            parts.append(study.enrollments.first().code)
        else:
            parts.append(re.sub("<([a-z]+):[a-z_]+>", lambda match: kinds.get(match[1], "x"), part))
    return "/" + "/".join(parts)


def _row_of(route: str) -> str:
    """The key of the first row of a page in the administration."""
    _admin, app, model, *_rest = [*route.split("/"), "", "", ""]
    if (app, model) not in {(page._meta.app_label, page._meta.model_name) for page in site._registry}:
        return "1"
    row = apps.get_model(app, model).objects.first()
    return str(row.pk) if row else "1"


def letter(answer) -> str:
    """Return how the person is received.

    y: gets in, whatever the request then lacks; n: forbidden; h: hidden, as an unknown address; s: has to sign in;
    b: back to the start of the administration, as for a row that is not there; -: no such verb.
    """
    if answer.status_code in (301, 302):
        if answer.url == "/admin/":
            return "b"
        return "s" if "/account/sign-in/" in answer.url or "/admin/login/" in answer.url else "y"
    return {401: "s", 403: "n", 404: "h", 405: "-"}.get(answer.status_code, "y")


PARTS = sorted({route.split("/")[0] for route in patterns()})


@pytest.fixture
def study(db):
    made = rows.study()
    presentation = Presentation.objects.filter(reading_list__enrollment__study=made).first()
    ImageProblem.objects.create(presentation=presentation, text="It is cut off.", at=make.MONDAY, key=uuid4())
    return made


@pytest.fixture
def clients(study):
    people = {
        "reader": study.enrollments.first().reader,
        "clara": make.user("clara", Role.COORDINATOR),
        "carl": make.stranger("carl", Role.COORDINATOR),
        "rosa": make.user("rosa", Role.RESEARCHER),
        "ralph": make.stranger("ralph", Role.RESEARCHER),
        "ruth": make.stranger("ruth", Role.RESEARCHER),
    }
    add_member(study=study, person=people["ruth"], role=Role.COORDINATOR, actor=None, at=make.MONDAY)
    clients = {"nobody": Client()}
    for name, person in people.items():
        clients[name] = Client()
        clients[name].force_login(person)
    return clients


def expected() -> dict[tuple[str, str], str]:
    lines = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {(verb, address.removeprefix("/")): letters for letters, verb, address in lines}


def test_the_matrix_names_every_address_and_no_other():
    assert {route for _, route in expected()} == set(patterns())


def reached(study, clients, route) -> dict[tuple[str, str], str]:
    address = address_of(route, study)
    found = {}
    for verb in ("GET", "POST"):
        letters = ""
        for client in clients.values():
            with roles.around_tests():  # a request that succeeds changes nothing for the next person
                letters += letter(client.generic(verb, address))
                transaction.set_rollback(True)
        found[verb, route] = letters
    return found


@pytest.mark.parametrize("part", PARTS)
def test_each_person_reaches_what_the_matrix_says(study, clients, part):
    found: dict[tuple[str, str], str] = {}
    for route in patterns():
        if route.split("/")[0] == part:
            found |= reached(study, clients, route)
    assert found == {key: letters for key, letters in expected().items() if key[1].split("/")[0] == part}
