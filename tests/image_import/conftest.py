"""A folder of drawn images, and browsers of those who send it."""

import pytest

from tests.image_import import sending


@pytest.fixture
def folder(tmp_path):
    return sending.write_images(tmp_path / "mine")


@pytest.fixture
def researcher(client, rosa):
    client.force_login(rosa)
    return client


@pytest.fixture
def coordinator(client, clara):
    client.force_login(clara)
    return client
