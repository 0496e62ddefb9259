"""A cohort with adversarial images, a small draft on it, and a browser for Clara."""

import pytest
from django.test import Client

from readerstudy.accounts.models import Role, User
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.studies.actions import draft_study
from tests import make

SCALE = 0.03


@pytest.fixture
def films(db, small):
    films = make.cohort()
    make.adversarial_images_for(films)
    return films


@pytest.fixture
def draft(films):
    """A draft of 3, 3, 14, 3 and 14 images."""
    protocol = protocol_of_template("zhou2021", words=films.modality.words.reading, scale=SCALE)
    draft = draft_study(code="real-1", title="Real or not", cohort=films, protocol=protocol, actor=None, at=make.MONDAY)
    make.join(User.objects.exclude(role=Role.READER), [draft])
    return draft


@pytest.fixture
def desk(clara):
    """Clara's browser."""
    client = Client()
    client.force_login(clara)
    return client
