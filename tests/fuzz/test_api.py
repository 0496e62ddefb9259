"""Schemathesis over the whole OpenAPI schema, as everybody who calls the API: no fault, and answers as documented."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.urls import Resolver404, resolve
from django.utils.timezone import now
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from readerstudy.accounts.tokens import make_token
from tests import roles, walk

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 6


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests use the connection of the test, as those of Django's client do, which connects the receivers again."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@pytest.fixture
def schema(settings):
    document = SchemaGenerator().get_schema(request=None, public=True)
    loaded = schemathesis.openapi.from_dict(document)
    settings.REQUESTS_PER_MINUTE = 0
    loaded.app = get_wsgi_application()
    loaded.config.generation.update(modes=[GenerationMode.POSITIVE], with_security_parameters=False)
    return loaded


@pytest.fixture
def known(study, rita) -> dict[str, Any]:
    """Parts of addresses that lead to something."""
    step = walk.open_session(walk.client_of(rita), study.code, 1)
    return {
        **{"study": study.code, "number": 1, "reader": "R1", "code": step["stimulus"]["code"]},
        **{"panel": "real", "id": 1},
    }


@pytest.mark.parametrize("role", ["anonymous", "reader", "coordinator", "researcher"])
def test_every_answer_is_documented_and_no_fault(schema, known, rita, clara, rosa, role):
    person = {"reader": rita, "coordinator": clara, "researcher": rosa}.get(role)
    headers = {}
    if person:
        headers["Authorization"] = f"Token {make_token(user=person, name='api', at=now(), days=1)[1]}"
    failures: dict[str, str] = {}
    answers: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            case=st.one_of(
                *(operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
            ),
            leads_somewhere=st.booleans(),
        )
        def call(case: Case, leads_somewhere: bool) -> None:
            if leads_somewhere:
                case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            with one_connection(), roles.around_tests():
                response = case.call(headers=headers)
                transaction.set_rollback(True)
            answers[response.status_code] += 1
            if response.status_code == 404 and not _is_address(case.formatted_path):
                return  # such as with a blank in a code: the page of the whole site
            try:
                case.validate_response(response, checks=CHECKS)
            except (Failure, FailureGroup) as failure:
                what = failure.exceptions[0] if isinstance(failure, FailureGroup) else failure
                failures.setdefault(f"{case.method} {case.path} {response.status_code}", f"{what} {case.body!r}"[:600])

        call()
    assert not failures, "\n".join(f"{name}: {what}" for name, what in failures.items())
    assert sum(answers.values()) > 100


def _is_address(path: str) -> bool:
    try:
        return bool(resolve(unquote(path)))
    except Resolver404:
        return False
