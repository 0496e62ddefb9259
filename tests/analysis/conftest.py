"""The small study in the database, at each of its three states."""

import pytest
from django.test import Client

from readerstudy.accounts.models import User
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows


@pytest.fixture
def open_study(db: None) -> Study:
    return rows.study()


@pytest.fixture
def closed_study(open_study: Study) -> Study:
    return rows.closed(open_study)


@pytest.fixture
def unsealed_study(closed_study: Study, rosa: User) -> Study:
    unseal_study(study=closed_study, actor=rosa, reason="All have read.", at=make.MONDAY)
    return closed_study


@pytest.fixture
def as_rosa(rosa: User, client: Client) -> Client:
    """A browser in which the researcher is signed in."""
    client.force_login(rosa)
    return client
