"""How many SQL statements a verdict, a step and an image take. Each costs processor time on both sides."""

from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests import walk

SESSION, PERSON = 1, 1
# The savepoint of the test is the transaction of a request: two statements.
VERDICT = SESSION + PERSON + 2 + 3  # where the reader is, what comes next, the verdict itself
STEP = SESSION + PERSON + 2  # where the reader is, what comes next
IMAGE = SESSION + PERSON + 1


def test_a_verdict_takes_seven_statements_and_a_step_four(study, rita):
    client = APIClient()
    client.force_login(rita)
    walk.finish_session(client, study.code, 1)
    page, counts = str(uuid4()), []
    step = client.post(walk.address(study.code, 2, "open"), {"page": page}, format="json").json()
    for verdict in ("real", "not_real", "unsure"):
        with CaptureQueriesContext(connection) as of_image:
            assert client.get(step["stimulus"]["image"]).status_code == 200
        with CaptureQueriesContext(connection) as of_step:
            assert client.get(walk.address(study.code, 2, "step"), {"page": page}).json() == step
        with CaptureQueriesContext(connection) as of_verdict:
            answer = walk.answer(client, study.code, 2, step, verdict, page=page)
        assert answer.status_code == 201
        step = answer.json()["step"]
        counts.append((of_image, of_step, of_verdict))
    # With the first image each connection also prepares its statements; with the last one the session ends.
    _first, (of_image, of_step, of_verdict), (_image, _step, of_last) = counts
    assert len(of_verdict) <= VERDICT, [query["sql"] for query in of_verdict]
    assert len(of_step) <= STEP, [query["sql"] for query in of_step]
    assert len(of_image) <= IMAGE, [query["sql"] for query in of_image]
    assert len(of_last) <= VERDICT + 2, "the event of the end, and the webhooks that ask for it"
