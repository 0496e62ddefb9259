"""Receivers that must not be reached: private networks, other protocols, names that lead elsewhere."""

import json

import pytest

from readerstudy.errors import BadInput
from readerstudy.webhooks.actions import send_test
from readerstudy.webhooks.addresses import check_url
from readerstudy.webhooks.models import Delivery, Fact, Webhook
from readerstudy.webhooks.sending import send
from tests import make

AT = make.MONDAY
OF_STUDY = [Fact.SESSION_FINISHED, Fact.STUDY_CLOSED]


def told(webhook: Webhook) -> list[dict]:
    return [json.loads(row.body) for row in webhook.deliveries.order_by("made_at")]


def test_message(webhook: Webhook) -> Delivery:
    return send_test(webhook=webhook, actor=webhook.owner, at=AT)


test_message.__test__ = False


@pytest.mark.parametrize(
    "number",
    [
        *(
            "127.0.0.1",
            "10.0.0.7",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
        ),
        *("::1", "fe80::1", "fd00::1", "::ffff:10.0.0.7", "::ffff:169.254.169.254", "64:ff9b::a00:7", "2002:a00:7::"),
    ],
)
def test_private_networks_are_refused_in_service(settings, monkeypatch, number):
    settings.EMBEDDED = False
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: [(0, 0, 0, "", (number, 443))])
    with pytest.raises(BadInput, match="private network"):
        check_url("https://hook.example.org/x")
    settings.WEBHOOK_HOSTS = ["hook.example.org"]
    check_url("https://HOOK.example.org/x")


def test_one_private_number_among_others_is_enough(settings, monkeypatch):
    settings.EMBEDDED = False
    found = [(0, 0, 0, "", (number, 443)) for number in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: found[:1])
    check_url("https://hook.example.org/x")
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(BadInput, match="private network"):
        check_url("https://hook.example.org/x")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://93.184.216.34/x", "https only"),
        ("ftp://93.184.216.34/x", "Give an address"),
        ("https://rosa:secret@93.184.216.34/", "without a user name"),
        ("https://93.184.216.34:99999/", "cannot be read"),
        ("https://93.184.216.34/a b", "percent-encoded"),
        ("https://93.184.216.34/\r\nX: y", "percent-encoded"),
        ("https:///x", "Give an address"),
        ("https://nowhere.invalid/", "no host"),
    ],
)
def test_addresses_that_cannot_be_called_are_refused(url, sentence):
    with pytest.raises(BadInput, match=sentence):
        check_url(url)


def test_plain_http_to_this_machine_is_for_embedded_installations(settings):
    check_url("http://127.0.0.1:9/x")
    settings.EMBEDDED = False
    with pytest.raises(BadInput, match="https only"):
        check_url("http://127.0.0.1:9/x")


def test_a_name_that_leads_elsewhere_since_is_not_called(settings, webhook, receiver):
    settings.EMBEDDED = False  # the address was allowed when it was given, and is not any more
    delivery = test_message(webhook)
    send(delivery, at=AT)
    assert receiver.got == []
    assert delivery.attempts.get().error == "Webhooks are sent over https only."
