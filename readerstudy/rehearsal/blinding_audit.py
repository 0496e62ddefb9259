"""The blinding audit: does anything that a reader or a coordinator receives separate real from adversarial images?

A scripted reader plays a copy of the study (the same plan on the same cohort, another draw) over HTTP and records
everything that a browser could see. A scripted coordinator visits every page. The audit has four parts:

1. What the reader's browser receives, except the image. It must be at chance.
2. What a coordinator receives (`coordinator_audit`), and the lines of the log. It must be at chance.
3. Keys and files on the server. Nobody sees them, but a list that shows one by mistake must not reveal the kind.
   It must be at chance.
4. Simple facts of the pixels. They are reported only: an attack may change the noise.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.client.api_client import RawResponse
from readerstudy.client.messages import StepData
from readerstudy.client.reader_client import ReaderClient, session_address
from readerstudy.client.scripted_reader import play_session
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities.modality import Modality
from readerstudy.rehearsal.coordinator_audit import facts_of_log, facts_of_pages, recorded_log, visit
from readerstudy.rehearsal.coordinator_pages import Page
from readerstudy.rehearsal.live_server import connect_browser, connect_reader, serve_application
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.rehearsal.storage_features import storage_facts
from readerstudy.statistics.separability import feature_auc, separability, strongest_feature
from readerstudy.studies.actions import add_member, close_study, copy_members, enroll
from readerstudy.studies.models import Enrollment, Presentation, SessionPlan, Study
from readerstudy.truth.actions import create_study, same_plan
from readerstudy.truth.queries import adversarial_codes

ReportProgress = Callable[[int, int], None]
LEVEL = 0.01  # of the first three parts together, after Holm's correction
FETCHES = 3
MANY = 40  # facts of a family, above which the strongest one is tested
# The smallest p times the number of families must be far below LEVEL.
PERMUTATIONS = 4999


@dataclass(frozen=True)
class Observation:
    """Everything that the browser received for one blinded presentation."""

    session: int
    position: int
    code: str
    address: str
    step: RawResponse
    images: tuple[RawResponse, ...]  # the same address, fetched several times
    conditional: RawResponse  # fetched again with the header fields of a cache


@dataclass(frozen=True)
class Finding:
    """One family of facts, and how well it separates real from adversarial presentations."""

    family: str
    auc: float
    p: float
    features: int
    facts: dict[str, float]  # AUC of each fact alone; .5: no separation


def audit_blinding(
    study: Study,
    *,
    at: datetime,
    clock: Callable[[], datetime],
    seed: int = 1,
    progress: ReportProgress = lambda *_: None,
) -> BlindingAudit:
    """Play a copy of the study, try to separate the two kinds by each family of facts, and store the result."""
    copy, enrollment, coordinator = _copy(study, at=at, progress=progress)
    seen, lines, pages = _observe_all(copy, enrollment, coordinator, clock=clock, progress=progress)
    observations, labels = _mixed(seen, adversarial_codes(enrollment))
    codes = {observation.code: (observation.session, observation.position) for observation in observations}
    on_pages, in_log = facts_of_pages(pages, codes), facts_of_log(lines, codes)
    families: dict[str, dict[str, Facts]] = {
        "browser": BROWSER_FAMILIES,
        "coordinator": {"pages": lambda each: on_pages[each.code], "log": lambda each: in_log[each.code]},
        "stored": {"keys and files": _stored(observations)},
        "pixels": {"pixels": _pixels(study.cohort.modality)},
    }
    rng = np.random.default_rng(seed)
    everything, firsts = (observations, labels), _without_repeats(observations, labels, enrollment)
    shown = {"browser": everything, "coordinator": everything, "stored": firsts, "pixels": firsts}
    parts = {
        part: [_finding(name, facts, *shown[part], rng) for name, facts in members.items()]
        for part, members in families.items()
    }
    counts = {"images": len(observations), "pages": sum(map(len, pages.values()))}
    return _store(study, parts, counts, at=clock())


def _observe_all(
    copy: Study, enrollment: Enrollment, coordinator: User, *, clock: Callable[[], datetime], progress: ReportProgress
) -> tuple[list[Observation], list[str], dict[str, list[Page]]]:
    """Let the reader complete the copy and the coordinator visit it. Return what was seen, the log, and the pages."""
    total = sum(plan.total for plan in SessionPlan.objects.filter(study=copy))
    observations, lines = list[Observation](), list[str]()
    others = list(Study.objects.exclude(pk=copy.pk).values_list("code", flat=True))
    with (
        serve_application(on_line=lines.append) as base_url,
        recorded_log(lines),  # after the server: loading the application sets the handlers again
        connect_reader(base_url, enrollment.reader) as client,
        connect_browser(base_url, coordinator) as browser,
    ):
        for number, observation in enumerate(_play(client, copy.code), start=1):
            observations += [observation] if observation else []
            progress(number, total)
        pages = {"open": visit(browser, copy.code, others=others)}
        close_study(study=copy, actor=None, reason="The audit has read it.", at=clock())
        pages["closed"] = visit(browser, copy.code, others=others)
    return observations, lines, pages


@transaction.atomic
def _copy(study: Study, *, at: datetime, progress: ReportProgress) -> tuple[Study, Enrollment, User]:
    number = Study.objects.filter(code__startswith=f"{study.code}-audit-").count() + 1
    copy = create_study(
        code=f"{study.code}-audit-{number}",
        title=f"{study.title} (blinding audit {number})",
        at=at,
        is_rehearsal=True,
        progress=progress,
        **same_plan(study),
    )
    copy_members(source=study, target=copy, at=at)
    auditor, _ = User.objects.get_or_create(
        username="blinding-auditor", defaults={"role": Role.READER, "first_name": "Blinding", "last_name": "Auditor"}
    )
    coordinator, _ = User.objects.get_or_create(
        username="blinding-coordinator",
        defaults={"role": Role.COORDINATOR, "is_staff": True, "first_name": "Blinding", "last_name": "Coordinator"},
    )
    add_member(study=copy, person=coordinator, role=Role.COORDINATOR, actor=None, at=at)
    return copy, enroll(study=copy, reader=auditor, at=at), coordinator


def _play(client: ReaderClient, study: str) -> Iterator[Observation | None]:
    """Yield the observation of every presentation in order, None for those of sessions that are not blinded."""
    for session in client.sessions(study):
        number = session["number"]
        for step in play_session(client, study, number, lambda step: ("unsure", 1000)):
            if session["kind"] != "blinded":
                yield None
                continue
            # So that the coordinator has a list with a row for each image.
            client.report_problem(study, number, step, "Reported by the audit.")
            yield _observe(client, study, number, step)


def _observe(client: ReaderClient, study: str, session: int, step: StepData) -> Observation:
    address = step["stimulus"]["image"]
    return Observation(
        session=session,
        position=step["position"],
        code=step["stimulus"]["code"],
        address=address,
        step=client.fetch("GET", session_address(study, session, "step")),
        images=tuple(client.fetch_image(address) for _ in range(FETCHES)),
        conditional=client.fetch(
            "GET", address, headers={"If-None-Match": "*", "If-Modified-Since": "Thu, 31 Dec 2037 23:59:59 GMT"}
        ),
    )


def _mixed(observations: Sequence[Observation], adversarial: set[str]) -> tuple[list[Observation], NDArray[np.int64]]:
    """Return the observations of sessions that contain both kinds, and labels with 1 for adversarial.

    Sessions of real images only are left out: their number identifies them, which is not a leak.
    """
    kinds: dict[int, set[bool]] = {}
    for observation in observations:
        kinds.setdefault(observation.session, set()).add(observation.code in adversarial)
    mixed = [observation for observation in observations if len(kinds[observation.session]) == 2]
    return mixed, np.array([int(observation.code in adversarial) for observation in mixed])


def _without_repeats(
    observations: Sequence[Observation], labels: NDArray[np.int64], enrollment: Enrollment
) -> tuple[list[Observation], NDArray[np.int64]]:
    """Return the first showings, for facts of the image: one file that occurs twice would be recognised."""
    shown_again = Presentation.objects.filter(reading_list__enrollment=enrollment, is_repeat=True)
    codes = set(shown_again.values_list("code", flat=True))
    is_first = [observation.code not in codes for observation in observations]
    return [each for each, first in zip(observations, is_first, strict=True) if first], labels[is_first]


# --- families: each returns facts of one presentation by name --------------------------------------------------
Facts = Callable[[Observation], dict[str, float]]


def _codes(observation: Observation) -> dict[str, float]:
    code = observation.code
    digits = {f"digit {digit}": float(code.count(digit)) for digit in "0123456789abcdef"}
    return {**digits, "first digits as a number": float(int(code[:8], 16))}


def _order(observation: Observation) -> dict[str, float]:
    return {"position": float(observation.position), "odd position": float(observation.position % 2)}


def _addresses(observation: Observation) -> dict[str, float]:
    address = observation.address
    rest = address.replace(observation.code, "")
    return {"length": float(len(address)), "parts": float(rest.count("/")), "rest": float(sum(rest.encode()))}


def _headers(observation: Observation) -> dict[str, float]:
    image, step = observation.images[0], observation.step
    facts = {"picture's fields": float(len(image.headers)), "step's fields": float(len(step.headers))}
    for kind, response in (("picture", image), ("step", step)):
        for name, value in response.headers:
            # The date and the number of digits of the position depend on the time, not on the image.
            if name.lower() not in ("date", "content-length"):
                facts[f"{kind} {name}"] = float(sum(value.encode()))
    return facts


def _step_values(observation: Observation) -> dict[str, float]:
    """Return every number and flag of the step and of its two images, except the position (see `_order`)."""
    step = json.loads(observation.step.body)
    parts = {"step": step, "picture": step["stimulus"], "next picture": step["next"] or {}}
    return {
        f"{part} {name}": float(value)
        for part, fields in parts.items()
        for name, value in fields.items()
        if isinstance(value, int | float) and name != "position"
    }


def _lengths(observation: Observation) -> dict[str, float]:
    image, step = observation.images[0], observation.step
    # A flag is one character longer if it is false; its value is among the facts of `_step_values`.
    digits = len(str(observation.position)) + step.body.count(b"false")
    return {
        "picture": float(len(image.body)),
        "picture's Content-Length": float(dict(image.headers).get("Content-Length", 0)),
        "step": float(len(step.body) - digits),
    }


def _times(observation: Observation) -> dict[str, float]:
    seconds = [response.seconds for response in observation.images]
    return {"first fetch": seconds[0], "fastest fetch": min(seconds), "step": observation.step.seconds}


def _cache(observation: Observation) -> dict[str, float]:
    first, again = observation.images[0], observation.conditional
    return {
        "status of a conditional fetch": float(again.status),
        "length of a conditional fetch": float(len(again.body)),
        "same fields": float({name for name, _ in first.headers} == {name for name, _ in again.headers}),
    }


def _pixels(modality: Modality) -> Facts:
    """Return the facts of the picture that was received."""
    return lambda observation: modality.pixel_facts(decode_png(observation.images[0].body))


def _stored(observations: Sequence[Observation]) -> Facts:
    """Return the facts of a stimulus on the server, which only the database connects with the code."""
    codes = [observation.code for observation in observations]
    rows = Presentation.objects.filter(code__in=codes).select_related("stimulus")
    by_code = {row.code: storage_facts(row.stimulus) for row in rows}
    return lambda observation: by_code[observation.code]


BROWSER_FAMILIES: dict[str, Facts] = {
    "codes": _codes,
    "order": _order,
    "addresses": _addresses,
    "values of the step": _step_values,
    "header fields": _headers,
    "lengths": _lengths,
    "response times": _times,
    "cache behaviour": _cache,
}


def _finding(
    family: str,
    facts_of: Facts,
    observations: Sequence[Observation],
    labels: NDArray[np.int64],
    rng: np.random.Generator,
) -> Finding:
    facts = [facts_of(observation) for observation in observations]
    names = sorted({name for row in facts for name in row})
    # A fact that is missing from some responses may separate the kinds too.
    table = np.array([[row.get(name, -1.0) for name in names] for row in facts])
    # Pages have hundreds of facts, most of them noise.
    test = strongest_feature if len(names) > MANY else separability
    result = test(table, labels, rng=rng, permutations=PERMUTATIONS)
    alone = {
        name: feature_auc(table[:, column], labels) for column, name in enumerate(names) if table[:, column].std() > 0
    }
    return Finding(family=family, auc=result.auc, p=result.p, features=result.features, facts=alone)


def _smallest_after_holm(findings: Sequence[Finding]) -> float:
    """Return the smallest p times the number of families, which decides whether Holm (1979) rejects any."""
    return min(1.0, min(finding.p for finding in findings) * len(findings))


def _store(
    study: Study, parts: Mapping[str, Sequence[Finding]], counts: Mapping[str, int], *, at: datetime
) -> BlindingAudit:
    decisive = [finding for part, findings in parts.items() if part != "pixels" for finding in findings]
    passed = _smallest_after_holm(decisive) >= LEVEL
    described = {part: [asdict(finding) for finding in findings] for part, findings in parts.items()}
    result = {**counts, "level": LEVEL, **described}
    audit = BlindingAudit.objects.create(study=study, at=at, passed=passed, result=result)
    record("blinding.audited", actor=None, subject=study, at=at, passed=passed)
    return audit
