"""Everybody with an account: found by name, with the studies that the one who looks takes part in."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from readerstudy.accounts.models import Role
from tests import make
from tests.analysis import rows

ADDRESS = "/desk/people/"


@pytest.fixture
def desk(client, db):
    rows.study(readers=["rita"])
    client.force_login(make.user("clara", Role.COORDINATOR, first_name="Clara", last_name="Coe"))
    return client


def shown(client, **query) -> list[str]:
    return [person.account.username for person in client.get(ADDRESS, query).context["people"]]


def test_everybody_is_listed_with_the_studies_of_the_one_who_looks(desk):
    page = desk.get(ADDRESS).content.decode()
    assert ">small R1</a>" in page
    assert "/desk/studies/small/team/" in page
    desk.force_login(make.stranger("carl", Role.COORDINATOR))
    page = desk.get(ADDRESS).content.decode()
    assert "rita" in page
    assert "small R1" not in page
    assert "/desk/studies/" not in page


@pytest.mark.parametrize(
    ("search", "found"),
    [("", ["clara", "nora", "rita"]), ("coe CLARA", ["clara"]), ("example.org", ["nora"]), ("%", []), ("\0", None)],
)
def test_people_are_found_by_name_address_and_user_name(desk, search, found):
    make.user("nora", Role.RESEARCHER, email="nora@example.org")
    assert shown(desk, q=search) == (["clara", "nora", "rita"] if found is None else found)


def test_more_people_need_no_more_queries_and_come_in_pages(desk):
    with CaptureQueriesContext(connection) as few:
        desk.get(ADDRESS)
    for number in range(120):
        make.user(f"reader-{number:03}")
    with CaptureQueriesContext(connection) as many:
        assert len(shown(desk, q="r")) == 100
    assert len(many) <= len(few)
    assert len(shown(desk, q="r", page=2)) > 0
    assert 'href="?q=r&amp;page=2"' in desk.get(ADDRESS, {"q": "r"}).content.decode()
