"""The API for coordinators and researchers: cohorts, jobs, the lab, and studies."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

import httpx

from readerstudy.client.api_client import ApiClient
from readerstudy.client.downloads import Advance, Download, bar, download
from readerstudy.client.models.lab import (
    AttackLine,
    CohortAnswer,
    DeliveryLine,
    EvaluationLine,
    EvaluationPage,
    FactsEnum,
    ImageLine,
    ImagePage,
    JobLine,
    MadeWebhook,
    NewWebhook,
    PointLine,
    RunLine,
    StartRequest,
    StartRequestKindEnum,
    TokenAnswer,
    TokenRequest,
    WebhookLine,
)
from readerstudy.client.models.shared import EventLine, JobPage
from readerstudy.client.models.studies import NewStudy, StudyLine
from readerstudy.client.pages import Filter, Pages
from readerstudy.client.retries import Retries
from readerstudy.client.study import Study
from readerstudy.errors import BadInput, StudyError

ADDRESS_VARIABLE: Final = "READERSTUDY_URL"
TOKEN_VARIABLE: Final = "READERSTUDY_TOKEN"
BASE: Final = "/api/v1/"
Panel = Literal["real", "adversarial", "difference"]
ENDED: Final = ("done", "failed", "cancelled")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class JobFailed(StudyError):
    """The job that was waited for failed or was cancelled. `job` is its last state."""

    def __init__(self, job: JobPage) -> None:
        super().__init__(f"Job {job['id']} ({job['kind']}) is {job['status']}: {job['note']}")
        self.job = job


class InvestigatorClient(ApiClient):
    """One coordinator's or researcher's access to the API. What the account may not see or do raises an ApiError."""

    @classmethod
    def from_environment(
        cls, address: str = "", *, token: str = "", timeout: float = 60, retries: Retries | None = None
    ) -> Self:
        """Return a client of the server at `address` that sends `token`, each from the environment unless given.

        The variables are READERSTUDY_URL and READERSTUDY_TOKEN. Requests that get no answer, or are put off by the
        server, are sent again as `retries` say. Raises BadInput without an address or a token, and for an address of
        another machine without TLS, where others could read the token.
        """
        address = address or os.environ.get(ADDRESS_VARIABLE, "")
        token = token or os.environ.get(TOKEN_VARIABLE, "")
        if not address or not token:
            missing = "address of the server" if not address else "token"
            raise BadInput(f"The {missing} is missing: give it, or set {ADDRESS_VARIABLE} and {TOKEN_VARIABLE}.")
        url = httpx.URL(address)
        if url.scheme != "https" and url.host not in _LOOPBACK:
            raise BadInput(f"A token is sent over https only, not to {address}.")
        return cls.connect(address, token=token, timeout=timeout, retries=retries or Retries())

    # --- cohorts and studies ------------------------------------------------------------------------------------------
    def cohorts(self) -> Pages[CohortAnswer]:
        """Return the cohorts: counts only."""
        return Pages(self, f"{BASE}cohorts/")

    def cohort(self, name: str) -> CohortAnswer:
        """Return one cohort: counts only."""
        return cast(CohortAnswer, self.call("GET", f"{BASE}cohorts/{name}/"))

    def studies(self, **filters: Filter) -> Pages[StudyLine]:
        """Return the studies of the account, the newest first."""
        return Pages(self, f"{BASE}studies/", filters)

    def study(self, code: str) -> Study:
        """Return the requests about one study. Sends nothing yet."""
        return Study(self, code)

    def draft_study(self, code: str, *, title: str, cohort: str, protocol: str | Path) -> Study:
        """Create a draft from a protocol file, or from its text."""
        text = protocol.read_text(encoding="utf-8") if isinstance(protocol, Path) else protocol
        body: NewStudy = {"code": code, "title": title, "cohort": cohort, "protocol": text}
        self.call("POST", f"{BASE}studies/", body=body)
        return Study(self, code)

    def events(self, **filters: Filter) -> Pages[EventLine]:
        """Return the events of the audit trail that the account may see, the newest first."""
        return Pages(self, f"{BASE}events/", filters)

    # --- jobs ---------------------------------------------------------------------------------------------------------
    def jobs(self, **filters: Filter) -> Pages[JobLine]:
        """Return the jobs, the newest first."""
        return Pages(self, f"{BASE}jobs/", filters)

    def job(self, number: int) -> JobPage:
        """Return one job. Coordinators get it without parameters, result and worker."""
        return cast(JobPage, self.call("GET", f"{BASE}jobs/{number}/"))

    def start_job(self, kind: StartRequestKindEnum, parameters: Mapping[str, Any] | None = None) -> JobPage:
        """Start a job. Missing parameters have the defaults of the form at /lab/."""
        body: StartRequest = {"kind": kind, "parameters": dict(parameters or {})}
        return cast(JobPage, self.call("POST", f"{BASE}jobs/", body=body))

    def cancel_job(self, number: int) -> JobPage:
        """Cancel a job: at once if it is queued, at its next report if it is running."""
        return cast(JobPage, self.call("POST", f"{BASE}jobs/{number}/cancel/"))

    def retry_job(self, number: int) -> JobPage:
        """Start a failed or cancelled job again, as a new job."""
        return cast(JobPage, self.call("POST", f"{BASE}jobs/{number}/retry/"))

    def job_points(self, number: int) -> list[PointLine]:
        """Return the curves of a job."""
        return cast(list[PointLine], self.call("GET", f"{BASE}jobs/{number}/points/"))

    def wait_for_job(
        self, number: int, *, progress: Advance | bool = True, every: float = 2.0, at_most: float | None = None
    ) -> JobPage:
        """Return the job when it is done, asking `every` so many seconds.

        `progress`: a bar on a terminal, a function that gets steps done and in all, or False. Raises JobFailed for a
        job that failed or was cancelled, TimeoutError after `at_most` seconds; the job goes on.
        """
        until = None if at_most is None else time.monotonic() + at_most
        with bar(f"job {number}", shown=progress) as advance:
            while True:
                job = self.job(number)
                advance(job["done"], job["total"] or None)
                if job["status"] in ENDED:
                    break
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError(f"Job {number} is still {job['status']} after {at_most:g} s.")
                self.retries.sleep(every)
        if job["status"] != "done":
            raise JobFailed(job)
        return job

    # --- results of jobs ----------------------------------------------------------------------------------------------
    def runs(self, **filters: Filter) -> Pages[RunLine]:
        """Return the runs, the newest first. For researchers."""
        return Pages(self, f"{BASE}runs/", filters)

    def attacks(self, **filters: Filter) -> Pages[AttackLine]:
        """Return the attacks, the newest first. For researchers."""
        return Pages(self, f"{BASE}attacks/", filters)

    def evaluations(self, **filters: Filter) -> Pages[EvaluationLine]:
        """Return the evaluations without their figures, the newest first. For researchers."""
        return Pages(self, f"{BASE}evaluations/", filters)

    def run(self, name: str) -> RunLine:
        """Return one run. For researchers."""
        return cast(RunLine, self.call("GET", f"{BASE}runs/{name}/"))

    def attack(self, name: str) -> AttackLine:
        """Return one attack. For researchers."""
        return cast(AttackLine, self.call("GET", f"{BASE}attacks/{name}/"))

    def images(self, **filters: Filter) -> Pages[ImageLine]:
        """Return the adversarial images that no sealed study shows, the newest first. For researchers."""
        return Pages(self, f"{BASE}images/", filters)

    def image(self, number: int) -> ImagePage:
        """Return one adversarial image with its scores. For researchers."""
        return cast(ImagePage, self.call("GET", f"{BASE}images/{number}/"))

    def save_panel(self, number: int, panel: Panel, path: Path | str, *, full: bool = False) -> Download:
        """Write one panel of an adversarial image, a JPEG; `full`: at native pixels. For researchers."""
        size = "?size=full" if full else ""
        return download(self, f"{BASE}images/{number}/{panel}/{size}", path, progress=False)

    def evaluation(self, number: int) -> EvaluationPage:
        """Return one evaluation with its figures. For researchers."""
        return cast(EvaluationPage, self.call("GET", f"{BASE}evaluations/{number}/"))

    # --- webhooks -----------------------------------------------------------------------------------------------------
    def webhooks(self) -> Pages[WebhookLine]:
        """Return the webhooks of the account's studies and of its own jobs."""
        return Pages(self, f"{BASE}webhooks/")

    def webhook(self, number: int) -> WebhookLine:
        """Return one webhook."""
        return cast(WebhookLine, self.call("GET", f"{BASE}webhooks/{number}/"))

    def make_webhook(self, url: str, facts: Sequence[FactsEnum], *, study: str = "") -> MadeWebhook:
        """Make a webhook of a study, or of own jobs without one. Its secret is not shown again."""
        body: NewWebhook = {"url": url, "facts": [*facts]}
        if study:
            body["study"] = study
        return cast(MadeWebhook, self.call("POST", f"{BASE}webhooks/", body=body))

    def end_webhook(self, number: int) -> None:
        """Send nothing more to a webhook."""
        self.call("DELETE", f"{BASE}webhooks/{number}/")

    def test_webhook(self, number: int) -> DeliveryLine:
        """Send a test message."""
        return cast(DeliveryLine, self.call("POST", f"{BASE}webhooks/{number}/test/"))

    def deliveries(self, number: int) -> Pages[DeliveryLine]:
        """Return the messages to a webhook with every attempt, the newest first."""
        return Pages(self, f"{BASE}webhooks/{number}/deliveries/")

    def send_again(self, number: int, delivery: str) -> DeliveryLine:
        """Send a message again that was delivered or given up."""
        return cast(DeliveryLine, self.call("POST", f"{BASE}webhooks/{number}/deliveries/{delivery}/again/"))


def ask_for_token(address: str, *, username: str, password: str, name: str = "API", days: int = 90) -> TokenAnswer:
    """Return a new token of an account with a password and without a second factor. It is not shown again."""
    body: TokenRequest = {"username": username, "password": password, "name": name, "days": days}
    with ApiClient(httpx.Client(base_url=address)) as client:
        return cast(TokenAnswer, client.call("POST", f"{BASE}token/", body=body))
