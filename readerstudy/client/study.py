"""The requests about one study: its protocol and moves, its readers, its figures and its results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import sleep
from typing import Any, Final, Literal, cast

from httpx import codes

from readerstudy.client.api_client import ApiClient
from readerstudy.client.downloads import Advance, Download, download
from readerstudy.client.frames import Readings
from readerstudy.client.models.data import ClosingAnswersLine, CodebookLine, ResultsAnswer
from readerstudy.client.models.people import (
    CauseEnum,
    EnrollRequest,
    InviteAnswer,
    InvitedLine,
    InviteRequest,
    LanguageEnum,
    LetterLine,
    LinkRequest,
    LinkRequestKindEnum,
    MailLine,
    MonitorAnswer,
    ReaderActRequest,
    ReasonRequest,
    ReplacementRequest,
    ReportLine,
)
from readerstudy.client.models.shared import EnrolledReader, EventLine, JobPage
from readerstudy.client.models.studies import (
    ChecklistAnswer,
    JobStarted,
    MoveLine,
    MoveRequest,
    PlansOfStudy,
    ProtocolRequest,
    ProtocolText,
    StudyPage,
    StudySession,
)
from readerstudy.client.pages import Filter, Pages

Move = Literal[
    "lock",
    "open",
    "pause",
    "resume",
    "unlock",
    "close",
    "unseal",
    "request-unsealing",
    "confirm-unsealing",
    "withdraw-unsealing",
    "archive",
    "delete",
]
Act = Literal["pause", "resume", "withdraw", "repeats", "early", "continue"]  # on a reader
# The study after a move, the job that carries it out, or nothing after a deletion.
Moved = StudyPage | JobStarted | None
STUDIES: Final = "/api/v1/studies/"

Program = Literal["iMRMC", "MRMCaov", "RJafroc"]
RATINGS: Final[Mapping[Program, str]] = {
    "iMRMC": "ratings.imrmc",
    "MRMCaov": "ratings-mrmcaov.csv",
    "RJafroc": "ratings-rjafroc.xlsx",
}


class Study:
    """One study. Each method is one request, or one lazy list."""

    def __init__(self, client: ApiClient, code: str) -> None:
        self.code = code
        self._client = client
        self._base = f"{STUDIES}{code}/"

    def __repr__(self) -> str:
        return f"Study({self.code!r})"

    def page(self) -> StudyPage:
        """Return the study with its plan, sessions and readers."""
        return cast(StudyPage, self._get(""))

    def sessions(self) -> list[StudySession]:
        """Return the sessions with the progress of each reader."""
        return cast(list[StudySession], self._get("sessions/"))

    def plans(self) -> PlansOfStudy:
        """Return the plan as it was drawn, and the analysis plan, with their hashes."""
        return cast(PlansOfStudy, self._get("plans/"))

    def events(self, **filters: Filter) -> Pages[EventLine]:
        """Return the events of the study's audit trail, the newest first."""
        return Pages(self._client, f"{self._base}events/", filters)

    # --- protocol and moves -------------------------------------------------------------------------------------------
    def protocol(self) -> ProtocolText:
        """Return the protocol as the text of a file, with the hash to name when it is replaced."""
        return cast(ProtocolText, self._get("protocol/"))

    def replace_protocol(self, protocol: str | Path, *, base: str = "") -> ProtocolText:
        """Replace the protocol of a draft. `base`: the `design_sha256` that was edited; another one is refused."""
        text = protocol.read_text(encoding="utf-8") if isinstance(protocol, Path) else protocol
        body: ProtocolRequest = {"protocol": text}
        if base:
            body["base"] = base
        return cast(ProtocolText, self._client.call("PUT", f"{self._base}protocol/", body=body))

    def save_protocol(self, path: Path | str) -> Download:
        """Write the protocol file."""
        return download(self._client, f"{self._base}protocol.yaml", path, progress=False)

    def checklist(self) -> ChecklistAnswer:
        """Return what keeps the draft from being locked, advice, and expected times."""
        return cast(ChecklistAnswer, self._get("checklist/"))

    def rehearse(self) -> JobStarted:
        """Rehearse the draft with simulated readers, by a job."""
        return cast(JobStarted, self._post("rehearse/"))

    def moves(self) -> list[MoveLine]:
        """Return the moves that the account may make now."""
        return cast(list[MoveLine], self._get("moves/"))

    def move(self, name: Move, *, reason: str = "", base: str = "") -> Moved:
        """Make a move. `base`: to lock, the `design_sha256` of the checklist that was read."""
        body: MoveRequest = {"reason": reason}
        if base:
            body["base"] = base
        return cast(Moved, self._post(f"{name}/", body))

    # --- readers ------------------------------------------------------------------------------------------------------
    def readers(self) -> Pages[EnrolledReader]:
        """Return the enrolled readers with their progress."""
        return Pages(self._client, f"{self._base}readers/")

    def reader(self, code: str) -> EnrolledReader:
        """Return one enrolled reader with their progress."""
        return cast(EnrolledReader, self._get(f"readers/{code}/"))

    def enroll(self, user: str, *, override_reason: str = "") -> EnrolledReader:
        """Enroll a reader by their user name. `override_reason`: why they may see images again."""
        body: EnrollRequest = {"user": user}
        if override_reason:
            body["override_reason"] = override_reason
        return cast(EnrolledReader, self._post("readers/", body))

    def act(
        self, reader: str, name: Act, *, reason: str = "", session: int = 0, cause: CauseEnum = "study_team"
    ) -> EnrolledReader:
        """Pause, resume or withdraw a reader, or allow repeated images, an early session or one on hold."""
        body: ReaderActRequest = {"reason": reason, "cause": cause}
        if session:
            body["session"] = session
        return cast(EnrolledReader, self._post(f"readers/{reader}/{name}/", body))

    def invitations(self) -> Pages[InvitedLine]:
        """Return the readers with the state of their links and mails."""
        return Pages(self._client, f"{self._base}invitations/")

    def invite(
        self,
        people: str | Sequence[str],
        *,
        language: LanguageEnum = "en",
        days: int = 14,
        overridden: Sequence[str] = (),
        override_reason: str = "",
        only_check: bool = False,
    ) -> InviteAnswer:
        """Invite people, each as "Ruth Ott <ruth@example.org>"; `only_check` says what would happen."""
        body: InviteRequest = {
            "people": people if isinstance(people, str) else "\n".join(people),
            "language": language,
            "days": days,
            "overridden": [*overridden],
            "override_reason": override_reason,
            "only_check": only_check,
        }
        return cast(InviteAnswer, self._post("invitations/", body))

    def send_link(self, reader: str, *, kind: LinkRequestKindEnum = "invitation", by_hand: bool = False) -> LetterLine:
        """Send a new sign-in link, or return it with its text if it is sent by hand."""
        body: LinkRequest = {"kind": kind, "by_hand": by_hand}
        return cast(LetterLine, self._post(f"readers/{reader}/link/", body))

    def revoke_link(self, reader: str) -> None:
        """Revoke the unused sign-in link of a reader."""
        self._client.call("DELETE", f"{self._base}readers/{reader}/link/")

    def replace(self, reader: str, replacement: ReplacementRequest) -> LetterLine:
        """Invite somebody who takes the place of a withdrawn reader."""
        return cast(LetterLine, self._post(f"readers/{reader}/replacement/", replacement))

    def mails(self, **filters: Filter) -> Pages[MailLine]:
        """Return the mails to the readers, the newest first."""
        return Pages(self._client, f"{self._base}mails/", filters)

    # --- while it runs ------------------------------------------------------------------------------------------------
    def monitor(self) -> MonitorAnswer:
        """Return how far each reader is, how fast, and what is unusual; no verdict."""
        return cast(MonitorAnswer, self._get("monitor/"))

    def reports(self) -> Pages[ReportLine]:
        """Return the images that readers reported."""
        return Pages(self._client, f"{self._base}reports/")

    def exclude(self, report: int, *, reason: str) -> ReportLine:
        """Exclude a reported image from the analysis."""
        return self._decide(report, "exclude", reason)

    def include(self, report: int, *, reason: str) -> ReportLine:
        """Include an excluded image in the analysis again."""
        return self._decide(report, "include", reason)

    def _decide(self, report: int, name: str, reason: str) -> ReportLine:
        body: ReasonRequest = {"reason": reason}
        return cast(ReportLine, self._post(f"reports/{report}/{name}/", body))

    # --- readings and results -----------------------------------------------------------------------------------------
    def readings(self, **filters: Filter) -> Readings:
        """Return the readings of a closed study that the filters select: rows, a file, or a frame.

        Files and frames with `missing=True` also have a row for each image of a list that was not read.
        """
        return Readings(self._client, self._base, filters)

    def codebook(self) -> Pages[CodebookLine]:
        """Return every column that the readings can have, with type, unit, values and meaning."""
        return Pages(self._client, f"{self._base}codebook/")

    def save_codebook(self, path: Path | str, *, progress: Advance | bool = True) -> Download:
        """Write the codebook of the readings, a CSV file."""
        return download(self._client, f"{self._base}codebook.csv", path, progress=progress)

    def answers(self) -> Pages[ClosingAnswersLine]:
        """Return the answers to the questions at the end of sessions."""
        return Pages(self._client, f"{self._base}answers/")

    def results(self, *, version: int | None = None) -> ResultsAnswer:
        """Return every table of the report of an unsealed study, in its newest version or another one.

        Waits while the server computes it. Raises ApiError if that fails.
        """
        while True:
            with self._client.open("GET", f"{self._base}results/", query={"version": version}) as response:
                response.read()
            if response.status_code != codes.ACCEPTED:
                return cast(ResultsAnswer, response.json())
            sleep(float(response.headers["Retry-After"]))

    def make_bundle(self) -> JobPage:
        """Start the job that makes the bundle of an unsealed study, or return the one that is under way."""
        return cast(JobPage, self._post("bundle/"))

    def bundle_job(self) -> JobPage:
        """Return the newest job that makes the bundle."""
        return cast(JobPage, self._get("bundle/"))

    def save_bundle(self, path: Path | str, *, progress: Advance | bool = True) -> Download:
        """Write the newest bundle, a zip file."""
        return download(self._client, f"{self._base}bundle.zip", path, progress=progress)

    def save_ratings(
        self, path: Path | str, *, program: Program, session: int | None = None, progress: Advance | bool = True
    ) -> Download:
        """Write the verdicts of all blinded sessions, or of one, as a file for another program."""
        query = "" if session is None else f"?session={session}"
        return download(self._client, f"{self._base}{RATINGS[program]}{query}", path, progress=progress)

    def _get(self, address: str) -> Any:
        return self._client.call("GET", f"{self._base}{address}")

    def _post(self, address: str, body: Any = None) -> Any:
        return self._client.call("POST", f"{self._base}{address}", body=body)
