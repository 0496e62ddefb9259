"""Requests of a reader's browser with damaged bodies, against the database. Each is undone after it was checked."""

import copy
import json
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework.test import APIClient

from readerstudy.audit.models import Event
from readerstudy.reading.models import CheckedDisplay, Claim, ClosingAnswers, ImageProblem, Reading, ReadingSession
from tests import roles, walk
from tests.fuzz.mutate import mutated, mutated_json
from tests.fuzz.seeds import BODIES

STORED = (Reading, ReadingSession, Claim, CheckedDisplay, ImageProblem, ClosingAnswers, Event)
_TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/json; a",
    "",
)


@dataclass(frozen=True)
class Wire:
    """An open session, and its reader's client."""

    client: APIClient
    study: str
    number: int
    step: dict[str, Any]

    def try_one(self, rng: Random) -> str:
        """Send a request; return "" if it was accepted, else the message.

        Raises AssertionError for an answer of the server's own faults, a refusal without a message, and anything
        stored that the answer does not say.
        """
        name = rng.choice(list(BODIES))
        body = self._body(rng, name)
        kind = "application/json" if rng.randrange(20) else rng.choice(_TYPES)
        return self.send(name, body, kind)

    def send(self, name: str, body: bytes, kind: str) -> str:
        """As `try_one`, for this body."""
        with roles.around_tests():
            before = _stored()
            response = self.client.generic("POST", walk.address(self.study, self.number, name), body, kind)
            after = _stored()
            transaction.set_rollback(True)
        assert response.status_code < 500, (name, body, response.status_code)
        readings = after[0] - before[0]
        assert readings == (name == "verdicts" and response.status_code == 201), (name, body, readings)
        if response.status_code < 400:
            return ""
        assert response.status_code in (400, 404, 409, 415), (name, body, response.status_code)
        assert before == after, (name, body, before, after)
        message = response.json()["detail"]
        assert isinstance(message, str)
        assert message
        return message

    def valid(self, name: str) -> dict[str, Any]:
        """Return a body that is accepted."""
        body = copy.deepcopy(BODIES[name])
        own = {"stimulus": self.step["stimulus"]["code"], "answers": walk.required_answers(self.step, "real")}
        return body | {key: value for key, value in own.items() if key in body}

    def _body(self, rng: Random, name: str) -> bytes:
        body = copy.deepcopy(BODIES[name])
        if "stimulus" in body and rng.randrange(8):
            body["stimulus"] = self.step["stimulus"]["code"]
        if "verdict" in body and rng.randrange(8):
            body["verdict"] = rng.choice(self.step["verdicts"])
        if "key" in body:
            body["key"] = str(UUID(int=rng.getrandbits(128), version=4))
        if "answers" in body and rng.randrange(4):
            body["answers"] = walk.required_answers(self.step, self.step["verdicts"][0])
        match rng.randrange(10):
            case 0:
                return json.dumps(body).encode()
            case 1:
                return mutated(rng, [json.dumps(body).encode()])
            case _:
                return mutated_json(rng, [body])


def _stored() -> list[int]:
    return [model.objects.count() for model in STORED]
