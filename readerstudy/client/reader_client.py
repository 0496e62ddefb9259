"""The reader's part of the API: sessions, steps and verdicts."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID, uuid4

from readerstudy.client.api_client import ApiClient, RawResponse
from readerstudy.client.messages import DisplayData, ReceiptData, SessionData, StepData, StudyData
from readerstudy.errors import StudyError


class ReaderClient(ApiClient):
    """One reader's access to the API.

    `page` is the page id of this client. A session that a browser has claimed answers only the page that holds it.
    """

    page: UUID | None = None

    def studies(self) -> list[StudyData]:
        """Return the reader's studies and sessions."""
        return cast(list[StudyData], self.call("GET", "/api/v1/reading/")["studies"])

    def sessions(self, study: str) -> list[SessionData]:
        """Return the reader's sessions in this study. Raises StudyError if the reader is not enrolled in it."""
        for row in self.studies():
            if row["study"] == study:
                return row["sessions"]
        raise StudyError(f"The reader is not enrolled in a study {study}.")

    def check_display(self, study: str, number: int, results: Mapping[str, Any]) -> DisplayData:
        """Send the results of a display check."""
        body = {"results": results}
        return cast(DisplayData, self.call("POST", session_address(study, number, "display"), body=body))

    def open_session(self, study: str, number: int, *, page: UUID | None = None) -> StepData:
        """Open the session and return the current step. `page` takes it over; later calls send the same."""
        self.page = page or self.page
        return cast(StepData, self.call("POST", session_address(study, number, "open"), body=self._page))

    def current_step(self, study: str, number: int) -> StepData:
        """Return the current step."""
        query = f"?page={self.page}" if self.page else ""
        return cast(StepData, self.call("GET", session_address(study, number, "step") + query))

    def report_problem(self, study: str, number: int, step: StepData, text: str, *, key: UUID | None = None) -> None:
        """Report a problem with the image of `step`. The same `key` again changes nothing."""
        body = {"stimulus": step["stimulus"]["code"], "text": text, "key": str(key or uuid4()), **self._page}
        self.call("POST", session_address(study, number, "problems"), body=body)

    def give_verdict(
        self,
        study: str,
        number: int,
        step: StepData,
        verdict: str,
        *,
        elapsed_ms: int,
        answers: Mapping[str, Any] | None = None,
        paradata: Mapping[str, Any] | None = None,
        key: UUID | None = None,
    ) -> ReceiptData:
        """Give a verdict on the image of `step`. The same `key` again returns the same receipt."""
        body = {
            "stimulus": step["stimulus"]["code"],
            "verdict": verdict,
            "elapsed_ms": elapsed_ms,
            "key": str(key or uuid4()),
            "answers": dict(answers or {}),
            "paradata": dict(paradata or {}),
            **self._page,
        }
        return cast(ReceiptData, self.call("POST", session_address(study, number, "verdicts"), body=body))

    def give_answers(
        self, study: str, number: int, answers: Mapping[str, Any], *, elapsed_ms: int, key: UUID | None = None
    ) -> ReceiptData:
        """Answer the questions at the end of a session. The same `key` again returns the same receipt."""
        body = {"answers": dict(answers), "elapsed_ms": elapsed_ms, "key": str(key or uuid4()), **self._page}
        return cast(ReceiptData, self.call("POST", session_address(study, number, "answers"), body=body))

    @property
    def _page(self) -> dict[str, str]:
        return {"page": str(self.page)} if self.page else {}

    def fetch_image(self, address: str) -> RawResponse:
        """Return the response with an image file. The PNG is followed by padding of random bytes."""
        return self.fetch("GET", address)


def session_address(study: str, number: int, call: str) -> str:
    """Return the address of a call ("open", "step", "display", "verdicts", "answers") of one session."""
    return f"/api/v1/reading/{study}/sessions/{number}/{call}/"


def image_addresses(step: StepData) -> list[str]:
    """Return the addresses of the images that a step shows."""
    return list(step["images"].values()) if step["kind"] == "teach" else [step["stimulus"]["image"]]
