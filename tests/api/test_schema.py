"""The responses of the API are what its OpenAPI schema says, field by field."""

from uuid import uuid4

import pytest
from django.urls import resolve
from django.utils.timezone import now
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, ValidationError

from readerstudy.client.scripted_reader import PASSING_DISPLAY, required_answers
from readerstudy.modalities import MODALITIES
from readerstudy.reading.models import ReadingSession
from readerstudy.studies.actions import close_study, pause_study, unlock_study
from readerstudy.truth.actions import unseal_study
from tests import make, walk


@pytest.fixture(scope="module")
def schema() -> dict:
    """The document as JSON Schema. No object may have a property that is not declared."""
    document = _as_json_schema(SchemaGenerator().get_schema(request=None, public=True))
    for component in document["components"]["schemas"].values():
        if component.get("type") == "object":
            component["additionalProperties"] = False
    return document


def _as_json_schema(node):
    """Translate the two keywords of OpenAPI 3.0 that JSON Schema ignores: `nullable` and `discriminator`."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: _as_json_schema(value) for name, value in node.items()}
    if "discriminator" in node:
        name, mapping = node["discriminator"]["propertyName"], node["discriminator"]["mapping"]
        kinds = [{"if": {"properties": {name: {"const": k}}}, "then": {"$ref": v}} for k, v in mapping.items()]
        node = {"properties": {name: {"enum": list(mapping)}}, "allOf": kinds}
    return {"anyOf": [node, {"type": "null"}]} if node.get("nullable") is True else node


@pytest.fixture
def call(schema):
    """Send a request as this client, validate the response, and return its JSON."""

    def send(client, method: str, address: str, status: int, body=None) -> dict:
        response = getattr(client, method)(address, body)
        assert response.status_code == status, response.content
        operation = _operation(schema, address.partition("?")[0], method)
        kind = "application/json" if status < 400 else "application/problem+json"
        assert response["Content-Type"] == kind
        content = operation["responses"][str(status)]["content"][kind]
        Draft202012Validator({**content["schema"], "components": schema["components"]}).validate(response.json())
        return response.json()

    return send


def _operation(schema: dict, address: str, method: str) -> dict:
    route = "/" + resolve(address).route
    for kind in ("slug:", "int:", "uuid:", "panel:", "move:"):
        route = route.replace(f"<{kind}", "<")
    return schema["paths"][route.replace("<", "{").replace(">", "}").replace("{pk}", "{id}")][method]


def test_a_reading_declares_the_attributes_of_each_modality_as_optional(schema):
    reading = schema["components"]["schemas"]["ReadingLine"]
    for modality in MODALITIES.values():
        for attribute in modality.attributes:
            assert (attribute.name in reading["properties"]) == attribute.is_exported
            if attribute.is_exported:
                assert modality.code in reading["properties"][attribute.name]["description"]
                assert attribute.name not in reading["required"]


def test_an_undeclared_property_or_a_wrong_type_is_noticed(schema, call, study, rita, monkeypatch):
    client = walk.client_of(rita)
    monkeypatch.delitem(schema["components"]["schemas"]["ReaderSession"]["properties"], "title")
    with pytest.raises(ValidationError, match="'title' was unexpected"):
        call(client, "get", "/api/v1/reading/", 200)
    monkeypatch.setitem(schema["components"]["schemas"]["ReadStep"]["properties"], "position", {"type": "string"})
    with pytest.raises(ValidationError, match="1 is not of type 'string'"):
        call(client, "post", walk.address(study.code, 1, "open"), 200, {})


def test_every_response_of_five_sessions_is_as_documented(call, db, small):
    rules = {"practice": True, "questions": ["confidence", "mark"], "break_every": 2}
    study = make.study("asking", changes={"every": rules})
    client = walk.client_of(make.reader_in(study, "rita"))
    kinds = set()
    for number in range(1, 6):
        page = str(uuid4())
        step = call(client, "post", walk.address(study.code, number, "open"), 200, {"page": page})
        while step["kind"] != "done":
            kinds.add(step["kind"])
            assert call(client, "get", f"{walk.address(study.code, number, 'step')}?page={page}", 200) == step
            body = {
                "page": page,
                "stimulus": step["stimulus"]["code"],
                "verdict": step["verdicts"][0],
                "elapsed_ms": 4000,
                "key": str(uuid4()),
                "answers": required_answers(step, step["verdicts"][0]),
            }
            step = call(client, "post", walk.address(study.code, number, "verdicts"), 201, body)["step"]
        call(client, "post", walk.address(study.code, number, "verdicts"), 409, {**body, "key": str(uuid4())})
        call(client, "get", "/api/v1/reading/", 200)
    assert kinds == {"practise", "read", "teach"}


def test_waiting_holding_and_refusing_are_as_documented(call, db, small):
    study = make.study("resting", changes={"every": {"rest_hours": 1}, "session": {"2": {"washout_days": 3}}})
    client = walk.client_of(make.reader_in(study, "rita"))
    call(client, "get", walk.address(study.code, 1, "step"), 200)
    call(client, "get", walk.address(study.code, 9, "step"), 404)
    page = str(uuid4())
    call(client, "post", walk.address(study.code, 1, "open"), 200, {"page": page})
    newest = str(uuid4())
    call(client, "post", walk.address(study.code, 1, "open"), 200, {"page": newest})
    call(client, "get", f"{walk.address(study.code, 1, 'step')}?page={page}", 409)
    call(client, "post", walk.address(study.code, 1, "open"), 400, {"page": "x"})
    ReadingSession.objects.update(held_at=now())
    assert "reason" in call(client, "post", walk.address(study.code, 1, "open"), 409, {"page": newest})["step"]
    assert "reason" in call(client, "get", f"{walk.address(study.code, 1, 'step')}?page={newest}", 200)
    ReadingSession.objects.update(held_at=None)
    step = call(client, "get", f"{walk.address(study.code, 1, 'step')}?page={newest}", 200)
    while step["kind"] == "read":
        step = walk.answer(client, study.code, 1, step, step["verdicts"][0], page=newest).json()["step"]
    assert call(client, "get", walk.address(study.code, 2, "step"), 200)["until"]
    call(client, "post", walk.address(study.code, 2, "open"), 409, {})


def test_a_pause_is_as_documented(call, study, rita):
    client = walk.client_of(rita)
    step = call(client, "post", walk.address(study.code, 1, "open"), 200, {})
    pause_study(study=study, actor=None, reason="A power cut.", at=make.MONDAY)
    assert call(client, "post", walk.address(study.code, 1, "open"), 409, {})["paused"]
    assert "reason" in call(client, "get", walk.address(study.code, 1, "step"), 200)
    body = {"stimulus": step["stimulus"]["code"], "verdict": "seen", "elapsed_ms": 4000, "key": str(uuid4())}
    assert call(client, "post", walk.address(study.code, 1, "verdicts"), 409, body)["step"]["kind"] == "wait"
    results = {"results": PASSING_DISPLAY}
    assert call(client, "post", walk.address(study.code, 1, "display"), 409, results)["paused"]
    assert call(client, "get", "/api/v1/reading/", 200)["studies"][0]["state"] == "paused"


def test_a_draft_is_as_documented(call, study, rita, clara):
    unlock_study(study=study, actor=None, reason="Another plan.", at=make.MONDAY)
    base = f"/api/v1/studies/{study.code}/"
    client = walk.client_of(clara)
    for address in ("/api/v1/studies/", base, f"{base}sessions/", f"{base}readers/"):
        call(client, "get", address, 200)
    page = call(client, "get", base, 200)
    assert (page["status"], page["plan"], page["seed"], page["enrolled"][0]["arm"]) == ("draft", None, None, None)
    call(client, "get", f"{base}readings/", 409)
    assert call(client, "post", f"{base}close/", 409, {"reason": "Done."})["detail"].endswith("not open or paused.")
    assert call(walk.client_of(rita), "get", "/api/v1/reading/", 200)["studies"][0]["sessions"] == []


@pytest.mark.parametrize("light", ["dim", "bright"])
def test_the_result_of_a_display_check_is_as_documented(call, study, rita, light):
    results = {**PASSING_DISPLAY, "light": light}
    address = walk.address(study.code, 1, "display")
    assert call(walk.client_of(rita), "post", address, 201, {"results": results})["passed"] is (light == "dim")
    call(walk.client_of(rita), "post", address, 400, {"results": {}})


def test_the_investigators_responses_are_as_documented(call, study, rita, clara, rosa):
    client, base = walk.client_of(rosa), f"/api/v1/studies/{study.code}/"
    walk.finish_session(walk.client_of(rita), study.code, 1)
    for _ in range(3):
        for address in ("/api/v1/studies/", base, f"{base}sessions/", f"{base}readers/"):
            call(client, "get", address, 200)
        study.refresh_from_db()
        if study.status == "open":
            call(client, "get", f"{base}readings/", 409)
            close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
        else:
            call(client, "get", f"{base}readings/", 200)
            if study.status == "closed":
                unseal_study(study=study, actor=rosa, reason="Done.", at=make.MONDAY)
