"""The harness in small: requests of one reader in any order, lost, doubled and late, against the API in one process."""

from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from readerstudy.client.scripted_reader import required_answers
from readerstudy.reading.models import Reading, ReadingSession
from tests import make, walk

SESSIONS = 5
CHOICE = st.integers(0, 1)


@dataclass(frozen=True)
class Sent:
    """A verdict as it goes to the server."""

    session: int
    body: dict[str, Any]


class ReaderOnABadLine(RuleBasedStateMachine):
    """One reader. `stored` is what must be in the database: image, verdict and receipt by key."""

    study: ClassVar[Any]
    numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.reader = make.reader_in(self.study, f"reader-{next(self.numbers)}")
        self.client = walk.client_of(self.reader)
        self.session, self.page = 1, str(uuid4())
        self.stored: dict[str, tuple[str, str, str]] = {}
        self.sent: dict[str, Sent] = {}
        self.late: list[Sent] = []
        self.open()

    # --- what a reader's page does --------------------------------------------------------------------------
    def open(self) -> None:
        """Open the session as a page that was just loaded; the next session if this one is over."""
        answer = self.client.post(walk.address(self.study.code, self.session, "open"), {"page": self.page})
        assert answer.status_code == 200, answer.json()
        self.step = answer.json()
        if self.step["kind"] == "done" and self.session < SESSIONS:
            self.session += 1
            self.open()

    def verdict(self, choice: int = 0, **changes: str) -> Sent:
        verdict = self.step["verdicts"][min(choice, len(self.step["verdicts"]) - 1)]
        body = {
            "stimulus": self.step["stimulus"]["code"],
            "verdict": verdict,
            "elapsed_ms": 900,
            "answers": required_answers(self.step, verdict),
            "key": str(uuid4()),
            "page": self.page,
        }
        return Sent(self.session, {**body, **changes})

    def send(self, sent: Sent) -> Any:
        return self.client.post(walk.address(self.study.code, sent.session, "verdicts"), sent.body)

    def must_be_stored(self, sent: Sent, *, status: int = 201) -> None:
        answer, key = self.send(sent), sent.body["key"]
        assert answer.status_code == status, answer.json()
        known = (sent.body["stimulus"], sent.body["verdict"], answer.json()["receipt"])
        assert self.stored.setdefault(key, known) == known
        self.sent[key] = sent

    def must_be_refused(self, sent: Sent, *, status: tuple[int, ...] = (409,)) -> None:
        assert self.send(sent).status_code in status

    def old_key(self, data: st.DataObject) -> str:
        return list(self.sent)[data.draw(st.integers(0, len(self.sent) - 1))]

    def is_reading(self) -> bool:
        return self.step["kind"] in ("read", "teach")

    def has_read(self) -> bool:
        return bool(self.stored)

    # --- what happens on the way ----------------------------------------------------------------------------
    @precondition(is_reading)
    @rule(choice=CHOICE, copies=st.integers(1, 3))
    def give_a_verdict(self, choice: int, copies: int) -> None:
        """Once, or several times because no answer came."""
        sent = self.verdict(choice)
        self.must_be_stored(sent)
        for _copy in range(copies - 1):
            self.must_be_stored(sent, status=200)
        self.open()

    @precondition(is_reading)
    @rule()
    def lose_a_request(self) -> None:
        """It is on its way still, and may arrive later."""
        self.late.append(self.verdict())

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def receive_a_late_request(self, data: st.DataObject) -> None:
        """It counts if its image is still the current one of its page, and is refused otherwise."""
        sent = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        is_current = self.is_reading() and self.step["stimulus"]["code"] == sent.body["stimulus"]
        if is_current and sent.body["page"] == self.page:
            self.must_be_stored(sent)
        else:
            self.must_be_refused(sent)
        self.open()

    @precondition(has_read)
    @rule(data=st.data())
    def repeat_an_old_verdict(self, data: st.DataObject) -> None:
        sent = self.sent[self.old_key(data)]
        if sent.body["page"] == self.page:
            self.must_be_stored(sent, status=200)

    @precondition(has_read)
    @rule(data=st.data())
    def change_an_old_verdict(self, data: st.DataObject) -> None:
        sent = self.sent[self.old_key(data)]
        self.must_be_refused(Sent(sent.session, {**sent.body, "key": str(uuid4()), "page": self.page}))

    @precondition(lambda self: self.has_read() and self.is_reading())
    @rule(data=st.data())
    def use_a_key_again(self, data: st.DataObject) -> None:
        """A key of the same session is a conflict, one of another session a wrong request."""
        self.must_be_refused(self.verdict(key=self.old_key(data)), status=(400, 409))

    @precondition(is_reading)
    @rule(choice=CHOICE)
    def answer_in_a_tab_that_lost_the_session(self, choice: int) -> None:
        """A second tab has taken the session over; only that one is answered."""
        old, self.page = self.page, str(uuid4())
        self.open()
        self.must_be_refused(self.verdict(choice, page=old))
        self.must_be_stored(self.verdict(choice))
        self.open()

    # --- what must hold at any time -------------------------------------------------------------------------
    @invariant()
    def what_is_stored_is_what_was_confirmed(self) -> None:
        of_reader = {"presentation__reading_list__enrollment__reader": self.reader}
        rows = list(Reading.objects.filter(**of_reader).select_related("presentation").order_by("pk"))
        found = {str(row.key): (row.presentation.code, row.verdict, str(row.receipt)) for row in rows}
        assert found == self.stored
        positions: dict[int, list[int]] = {}
        for row in rows:
            positions.setdefault(row.presentation.reading_list_id, []).append(row.presentation.position)
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in positions.values())
        sessions = ReadingSession.objects.filter(reading_list__enrollment__reader=self.reader)
        counters = {session.reading_list_id: session.answered for session in sessions if session.answered}
        assert counters == {key: len(numbers) for key, numbers in positions.items()}


@pytest.mark.django_db
def test_no_order_of_requests_loses_doubles_or_invents_a_verdict(study):
    ReaderOnABadLine.study = study
    run_state_machine_as_test(
        ReaderOnABadLine, settings=settings(max_examples=5, stateful_step_count=12, derandomize=True)
    )
