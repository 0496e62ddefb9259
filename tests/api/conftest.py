"""One drawn study for a whole module: what a test does to it is rolled back behind the test."""

import pytest
from django.db import transaction
from django.test import override_settings

from readerstudy.studies.models import Study
from tests import make, roles


@pytest.fixture(scope="module")
def drawn(django_db_setup, django_db_blocker, tmp_path_factory):
    """Drawn once, in a transaction around those of the tests."""
    with (
        django_db_blocker.unblock(),
        pytest.MonkeyPatch.context() as patch,
        override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media")),
        roles.around_tests(),
    ):
        make.small_resolutions(patch)
        yield make.study()
        transaction.set_rollback(True)


@pytest.fixture
def study(drawn, db):
    return Study.objects.get(pk=drawn.pk)


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A slow hash protects passwords; these are written in the tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
