"""The client's types agree with the schema, and every operation of the schema has a method."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import httpx
import pytest
from jsonschema import Draft202012Validator

from readerstudy.client import InvestigatorClient
from readerstudy.client.investigator_client import ask_for_token
from readerstudy.client.study import Act, Move
from tests.api.test_schema import _operation, schema
from tools.client_models import modules, update

__all__ = ["schema"]

NOT_FOR_INVESTIGATORS = ("/api/v1/reading/", "/api/v1/schema/")


def test_the_types_are_those_of_the_schema():
    assert [str(path) for path in update(write=False)] == [], "run make reference"


def test_a_changed_schema_changes_the_types():
    component = {
        "type": "object",
        "description": "One job. More of it.",
        "properties": {
            "id": {"type": "integer"},
            "at": {"type": "string", "format": "date-time", "nullable": True},
            "state": {"$ref": "#/components/schemas/State"},
            "log": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "number"}}},
        },
        "required": ["id", "state"],
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}
    paths = {"/api/v1/jobs/": {"get": {"responses": {"200": {"content": content}}}}}
    schemas = {"Job": component, "State": {"type": "string", "enum": ["on", "off"]}, "Unused": {"type": "object"}}
    text = modules({"paths": paths, "components": {"schemas": schemas}})["lab"]
    assert text.endswith(
        'State = Literal["on", "off"]\n\n\n'
        'class Job(TypedDict):\n    """One job."""\n\n    id: int\n    at: NotRequired[str | None]\n    state: State\n'
        "    log: NotRequired[list[dict[str, float]]]\n"
    )


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [("{study}/{move}/", "move", get_args(Move)), ("{study}/readers/{reader}/{name}/", "name", get_args(Act))],
)
def test_words_in_addresses_are_those_of_the_schema(schema, path, name, words):
    parameters = schema["paths"][f"/api/v1/studies/{path}"]["post"]["parameters"]
    (found,) = (parameter for parameter in parameters if parameter["name"] == name)
    assert sorted(found["schema"]["enum"]) == sorted(words)


CALLS: list[Callable[[InvestigatorClient, Path], object]] = [
    lambda client, folder: client.cohorts().list(),
    lambda client, folder: client.cohort("films"),
    lambda client, folder: client.studies().list(),
    lambda client, folder: client.draft_study("tiny", title="Tiny", cohort="films", protocol="x: 1"),
    lambda client, folder: client.jobs().list(),
    lambda client, folder: client.job(1),
    lambda client, folder: client.start_job("evaluate"),
    lambda client, folder: client.cancel_job(1),
    lambda client, folder: client.retry_job(1),
    lambda client, folder: client.job_points(1),
    lambda client, folder: client.runs(kind="generator").list(),
    lambda client, folder: client.run("cad"),
    lambda client, folder: client.attacks().list(),
    lambda client, folder: client.attack("pgd"),
    lambda client, folder: client.images(split="test", is_excluded=False).list(),
    lambda client, folder: client.image(1),
    lambda client, folder: client.save_panel(1, "real", folder / "real.jpg", full=True),
    lambda client, folder: client.events(kind="study", study="tiny").list(),
    lambda client, folder: client.evaluations().list(),
    lambda client, folder: client.evaluation(1),
    lambda client, folder: client.webhooks().list(),
    lambda client, folder: client.webhook(1),
    lambda client, folder: client.make_webhook("https://host/x", ["study.closed"], study="tiny"),
    lambda client, folder: client.end_webhook(1),
    lambda client, folder: client.test_webhook(1),
    lambda client, folder: client.deliveries(1).list(),
    lambda client, folder: client.send_again(1, "00000000-0000-0000-0000-000000000001"),
    lambda client, folder: client.study("tiny").page(),
    lambda client, folder: client.study("tiny").sessions(),
    lambda client, folder: client.study("tiny").plans(),
    lambda client, folder: client.study("tiny").events(person="rita").list(),
    lambda client, folder: client.study("tiny").reader("R1"),
    lambda client, folder: client.study("tiny").protocol(),
    lambda client, folder: client.study("tiny").replace_protocol("x: 1", base="abc"),
    lambda client, folder: client.study("tiny").save_protocol(folder / "tiny.yaml"),
    lambda client, folder: client.study("tiny").checklist(),
    lambda client, folder: client.study("tiny").rehearse(),
    lambda client, folder: client.study("tiny").moves(),
    lambda client, folder: client.study("tiny").move("close", reason="Over."),
    lambda client, folder: client.study("tiny").readers().list(),
    lambda client, folder: client.study("tiny").enroll("rita", override_reason="Long ago."),
    lambda client, folder: client.study("tiny").act("R1", "early", session=2, reason="Holiday."),
    lambda client, folder: client.study("tiny").invitations().list(),
    lambda client, folder: client.study("tiny").invite(["Ruth Ott <ruth@example.org>"]),
    lambda client, folder: client.study("tiny").send_link("R1"),
    lambda client, folder: client.study("tiny").revoke_link("R1"),
    lambda client, folder: client.study("tiny").replace("R1", {"last_name": "Ott", "address": "ruth@example.org"}),
    lambda client, folder: client.study("tiny").mails().list(),
    lambda client, folder: client.study("tiny").monitor(),
    lambda client, folder: client.study("tiny").reports().list(),
    lambda client, folder: client.study("tiny").exclude(1, reason="Blurred."),
    lambda client, folder: client.study("tiny").include(1, reason="Not blurred."),
    lambda client, folder: list(client.study("tiny").readings()),
    lambda client, folder: client.study("tiny").readings().save(folder / "readings.csv"),
    lambda client, folder: client.study("tiny").readings(session=3).save(folder / "readings.parquet"),
    lambda client, folder: client.study("tiny").codebook().list(),
    lambda client, folder: client.study("tiny").save_codebook(folder / "codebook.csv"),
    lambda client, folder: client.study("tiny").answers().list(),
    lambda client, folder: client.study("tiny").results(version=1),
    lambda client, folder: client.study("tiny").make_bundle(),
    lambda client, folder: client.study("tiny").bundle_job(),
    lambda client, folder: client.study("tiny").save_bundle(folder / "bundle.zip"),
    lambda client, folder: client.study("tiny").save_ratings(folder / "tiny.imrmc", program="iMRMC"),
    lambda client, folder: client.study("tiny").save_ratings(folder / "tiny.csv", program="MRMCaov"),
    lambda client, folder: client.study("tiny").save_ratings(folder / "tiny.xlsx", program="RJafroc", session=3),
]


@pytest.fixture
def recorded(monkeypatch) -> list[httpx.Request]:
    """The requests that a client sends."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=[])

    monkeypatch.setattr("httpx.HTTPTransport.handle_request", lambda self, request: answer(request))
    return sent


def test_every_operation_has_a_method_and_its_body_fits(schema, recorded, tmp_path):
    with InvestigatorClient.from_environment("https://host", token="x") as client:
        for call in CALLS:
            call(client, tmp_path)
    ask_for_token("https://host", username="rosa", password="secret")
    found = [_operation(schema, request.url.path, request.method.lower()) for request in recorded]
    for request, operation in zip(recorded, found, strict=True):
        if request.content:
            content = operation["requestBody"]["content"]["application/json"]
            validator = Draft202012Validator({**content["schema"], "components": schema["components"]})
            validator.validate(json.loads(request.content))
    known = {
        operation["operationId"]
        for path, operations in schema["paths"].items()
        if not path.startswith(NOT_FOR_INVESTIGATORS)
        for operation in operations.values()
    }
    assert {operation["operationId"] for operation in found} == known
