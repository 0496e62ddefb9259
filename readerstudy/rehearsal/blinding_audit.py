"""The blinding audit: does anything that a reader or a coordinator receives separate real from adversarial images?

A scripted reader plays a copy of the study (the same plan on the same cohort, another draw) over HTTP and records
everything that a browser could see. A scripted coordinator visits every page. The audit has four parts:

1. What the reader's browser receives, except the image. It must be at chance.
2. What a coordinator receives (`coordinator_audit`), and the lines of the log. It must be at chance.
3. Keys and files on the server. Nobody sees them, but a list that shows one by mistake must not reveal the kind.
   It must be at chance.
4. Simple facts of the pixels. They are reported only: an attack may change the noise.

An aid beside the image is a channel that the protocol permits: its score may tell as much as it would in clinical use.
It is removed from what part 1 tests, and reported alone. A session without the rule must have no trace of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.client.messages import StepData
from readerstudy.client.reader_client import ReaderClient, session_address
from readerstudy.client.scripted_reader import play_session
from readerstudy.rehearsal.browser_facts import (
    BROWSER_FAMILIES,
    Facts,
    Observation,
    aid_facts,
    aid_faults,
    pixels,
    stored,
    without_aid,
)
from readerstudy.rehearsal.coordinator_audit import facts_of_log, facts_of_pages, recorded_log, visit
from readerstudy.rehearsal.coordinator_pages import Page
from readerstudy.rehearsal.live_server import connect_browser, connect_reader, serve_application
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.sealed_work import sealed_work
from readerstudy.statistics.separability import feature_auc, separability, strongest_feature
from readerstudy.studies.actions import add_member, close_study, copy_members, enroll
from readerstudy.studies.models import Enrollment, Presentation, SessionPlan, Study
from readerstudy.truth.actions import create_study, same_plan
from readerstudy.truth.queries import adversarial_codes

ReportProgress = Callable[[int, int], None]
Labelled = tuple[list[Observation], NDArray[np.int64]]  # labels: 1 for adversarial
LEVEL = 0.01  # of the first three parts together, after Holm's correction
FETCHES = 3
MANY = 40  # facts of a family, above which the strongest one is tested
# The smallest p times the number of families must be far below LEVEL; for each round of images there are so many.
PERMUTATIONS = 4999


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
        "stored": {"keys and files": stored(observations)},
        "pixels": {"pixels": pixels(study.cohort.modality)},
    }
    rounds, rng = _rounds(observations, labels, copy), np.random.default_rng(seed)
    parts = {
        part: [
            _finding(name + title, facts, *_tested(part, each, enrollment), rng, PERMUTATIONS * len(rounds))
            for title, each in rounds.items()
            for name, facts in members.items()
        ]
        for part, members in families.items()
    }
    aided = _aided(observations, labels)
    if len(aided[0]):
        parts["aid"] = [_finding("score beside the image", aid_facts, *aided, rng, PERMUTATIONS)]
    counts = {
        "images": len(observations),
        "pages": sum(map(len, pages.values())),
        **aid_faults(seen, {plan.number for plan in copy.session_plans.all() if plan.has_aid}),
    }
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


@sealed_work()
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
    response, aid = without_aid(client.fetch("GET", session_address(study, session, "step")))
    return Observation(
        session=session,
        position=step["position"],
        code=step["stimulus"]["code"],
        address=address,
        step=response,
        aid=aid,
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


def _rounds(observations: Sequence[Observation], labels: NDArray[np.int64], copy: Study) -> dict[str, Labelled]:
    """Return the observations of the sessions that draw images, and apart those of each that shows the same again.

    Within one of these no image occurs twice, repeats apart; otherwise chance would count twice. Titles are for the
    names of families, empty for the first.
    """
    again = {number for number, each in enumerate(copy.protocol.sessions, start=1) if each.images_of}
    rounds: dict[str, list[int]] = {}
    for index, observation in enumerate(observations):
        title = f", session {observation.session}" if observation.session in again else ""
        rounds.setdefault(title, []).append(index)
    return {title: ([observations[n] for n in chosen], labels[chosen]) for title, chosen in sorted(rounds.items())}


def _tested(part: str, labelled: Labelled, enrollment: Enrollment) -> Labelled:
    return _without_repeats(*labelled, enrollment) if part in ("stored", "pixels") else labelled


def _aided(observations: Sequence[Observation], labels: NDArray[np.int64]) -> Labelled:
    """Return the observations with an aid, each image once: of the first session that shows it with one."""
    stimuli = dict(
        Presentation.objects.filter(code__in=[each.code for each in observations]).values_list("code", "stimulus_id")
    )
    first: dict[int, int] = {}
    for index, observation in enumerate(observations):
        if observation.aid:
            first.setdefault(stimuli[observation.code], index)
    chosen = list(first.values())
    return [observations[index] for index in chosen], labels[chosen]


def _without_repeats(
    observations: Sequence[Observation], labels: NDArray[np.int64], enrollment: Enrollment
) -> tuple[list[Observation], NDArray[np.int64]]:
    """Return the first showings, for facts of the image: one file that occurs twice would be recognised."""
    shown_again = Presentation.objects.filter(reading_list__enrollment=enrollment, is_repeat=True)
    codes = set(shown_again.values_list("code", flat=True))
    is_first = [observation.code not in codes for observation in observations]
    return [each for each, first in zip(observations, is_first, strict=True) if first], labels[is_first]


def _finding(
    family: str,
    facts_of: Facts,
    observations: Sequence[Observation],
    labels: NDArray[np.int64],
    rng: np.random.Generator,
    permutations: int,
) -> Finding:
    facts = [facts_of(observation) for observation in observations]
    names = sorted({name for row in facts for name in row})
    # A fact that is missing from some responses may separate the kinds too.
    table = np.array([[row.get(name, -1.0) for name in names] for row in facts])
    # Pages have hundreds of facts, most of them noise.
    test = strongest_feature if len(names) > MANY else separability
    result = test(table, labels, rng=rng, permutations=permutations)
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
    decisive = [finding for part, findings in parts.items() if part not in ("pixels", "aid") for finding in findings]
    has_faults = counts["aid_traces"] or counts["aid_missing"]
    passed = _smallest_after_holm(decisive) >= LEVEL and not has_faults
    described = {part: [asdict(finding) for finding in findings] for part, findings in parts.items()}
    result = {**counts, "level": LEVEL, **described}
    audit = BlindingAudit.objects.create(study=study, at=at, passed=passed, result=result)
    record("blinding.audited", actor=None, subject=study, at=at, passed=passed)
    return audit
