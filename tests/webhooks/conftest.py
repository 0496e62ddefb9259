"""A webhook of a study, its receiver, and a queue that sends nothing by itself."""

import pytest

from readerstudy.webhooks.actions import make_webhook
from readerstudy.webhooks.models import Fact, Webhook
from tests import make
from tests.webhooks.receiver import receive

AT = make.MONDAY
OF_STUDY = [Fact.SESSION_FINISHED, Fact.STUDY_CLOSED]


@pytest.fixture
def receiver():
    with receive() as found:
        yield found


@pytest.fixture(autouse=True)
def queue(settings, monkeypatch):
    """The messages that a broker would get. This machine may be called, as in an embedded installation."""
    settings.EMBEDDED, settings.WEBHOOK_HOSTS = True, []
    sent: list[str] = []
    monkeypatch.setattr(
        "readerstudy.webhooks.sending.app.send_task", lambda name, kwargs, queue: sent.append(kwargs["delivery_id"])
    )
    return sent


@pytest.fixture
def webhook(study, clara, receiver) -> Webhook:
    """Clara's, of the study."""
    make.join([clara], [study])
    return make_webhook(study=study, url=receiver.url, facts=OF_STUDY, actor=clara, at=AT)
