"""The blinding audit: can what a reader's browser receives tell real from adversarial?

A scripted reader plays a copy of the study (the same plan on the same cohort, a draw of its own) over HTTP and keeps
everything that a browser could see. The first part, all but the picture, must be at chance. So must the second, keys
and files on the server: no reader sees them, but a list that shows one by mistake must not tell. The third, trivial
facts of the pixels, is a report: an attack may well change the noise, but a grey background makes a study worthless.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.imaging.png16 import decode_png
from readerstudy.rehearsal.client import Answer, Wire, served
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.rehearsal.pixel_features import pixel_facts
from readerstudy.rehearsal.storage_features import storage_facts
from readerstudy.statistics.separability import feature_auc, separability
from readerstudy.studies.actions import close_study, enroll
from readerstudy.studies.models import Enrollment, Presentation, SessionPlan, Study
from readerstudy.truth.actions import create_study, same_plan
from readerstudy.truth.queries import adversarial_codes

Advance = Callable[[int, int], None]
LEVEL = 0.01  # of the first two parts together, after Holm's correction
FETCHES = 3


@dataclass(frozen=True)
class Seen:
    """What one blinded presentation brought to the browser."""

    session: int
    position: int
    code: str
    address: str
    step: Answer
    pictures: tuple[Answer, ...]  # the same address, fetched several times
    conditional: Answer  # fetched again as a cache would


@dataclass(frozen=True)
class Finding:
    """One family of facts, and how well it tells the two kinds apart."""

    family: str
    auc: float
    p: float
    features: int
    facts: dict[str, float]  # AUC of each fact alone; .5 says nothing


def audit_blinding(
    study: Study, *, at: datetime, clock: Callable[[], datetime], seed: int = 1, progress: Advance = lambda *_: None
) -> BlindingAudit:
    """Play a copy, try to tell the kinds apart by each family, and store the result with the study."""
    copy, enrollment = _copy(study, at=at, progress=progress)
    total = sum(plan.total for plan in SessionPlan.objects.filter(study=copy))
    seen: list[Seen] = []
    with served() as port:
        wire = Wire(port, enrollment.reader)
        try:
            for number, one in enumerate(_play(wire, copy.code), start=1):
                seen += [one] if one else []
                progress(number, total)
        finally:
            wire.close()
    close_study(study=copy, actor=None, at=clock())
    seen, labels = _mixed(seen, adversarial_codes(enrollment))
    rng = np.random.default_rng(seed)
    wire_part = [_finding(name, facts, seen, labels, rng) for name, facts in WIRE.items()]
    pixel_part = [_finding("pixels", _pixels, seen, labels, rng)]
    stored_part = [_finding("keys and files", _stored(seen), seen, labels, rng)]
    passed = _smallest_after_holm([*wire_part, *stored_part]) >= LEVEL
    return _store(study, passed, wire_part, stored_part, pixel_part, images=len(seen), at=clock())


@transaction.atomic
def _copy(study: Study, *, at: datetime, progress: Advance) -> tuple[Study, Enrollment]:
    number = Study.objects.filter(code__startswith=f"{study.code}-audit-").count() + 1
    copy = create_study(
        code=f"{study.code}-audit-{number}",
        title=f"{study.title} (blinding audit {number})",
        at=at,
        is_rehearsal=True,
        progress=progress,
        **same_plan(study),
    )
    auditor, _ = User.objects.get_or_create(
        username="blinding-auditor", defaults={"role": Role.READER, "first_name": "Blinding", "last_name": "Auditor"}
    )
    return copy, enroll(study=copy, reader=auditor, at=at)


def _play(wire: Wire, study: str) -> Iterator[Seen | None]:
    """Every presentation in order; None where the session is not blinded."""
    for session in wire.sessions(study):
        number = session["number"]
        for step in wire.play(study, number, lambda step: ("unsure", 1000)):
            yield _look(wire, study, number, step) if session["kind"] == "blinded" else None


def _look(wire: Wire, study: str, session: int, step: dict[str, Any]) -> Seen:
    address = step["stimulus"]["image"]
    return Seen(
        session=session,
        position=step["position"],
        code=step["stimulus"]["code"],
        address=address,
        step=wire.fetch("GET", f"/api/v1/reading/{study}/sessions/{session}/step/"),
        pictures=tuple(wire.fetch("GET", address) for _ in range(FETCHES)),
        conditional=wire.fetch(
            "GET", address, {"If-None-Match": "*", "If-Modified-Since": "Thu, 31 Dec 2037 23:59:59 GMT"}
        ),
    )


def _mixed(seen: Sequence[Seen], adversarial: set[str]) -> tuple[list[Seen], NDArray[np.int64]]:
    """The presentations of sessions that hold both kinds, with 1 for adversarial.

    A session of real images only is told from the others by its number, which is no leak.
    """
    kinds: dict[int, set[bool]] = {}
    for one in seen:
        kinds.setdefault(one.session, set()).add(one.code in adversarial)
    kept = [one for one in seen if len(kinds[one.session]) == 2]
    return kept, np.array([int(one.code in adversarial) for one in kept])


# --- the families: each gives the facts of one presentation by name -----------------------------------------
Facts = Callable[[Seen], dict[str, float]]


def _codes(one: Seen) -> dict[str, float]:
    digits = {f"digit {digit}": float(one.code.count(digit)) for digit in "0123456789abcdef"}
    return {**digits, "first digits as a number": float(int(one.code[:8], 16))}


def _order(one: Seen) -> dict[str, float]:
    return {"position": float(one.position), "odd position": float(one.position % 2)}


def _addresses(one: Seen) -> dict[str, float]:
    plain = one.address.replace(one.code, "")
    return {"length": float(len(one.address)), "parts": float(plain.count("/")), "rest": float(sum(plain.encode()))}


def _headers(one: Seen) -> dict[str, float]:
    answers = (*one.pictures, one.step)
    facts = {"picture's fields": float(len(answers[0].headers)), "step's fields": float(len(one.step.headers))}
    for kind, answer in (("picture", answers[0]), ("step", one.step)):
        for name, value in answer.headers:
            # The clock of the answer and the digits of the position say when, not what.
            if name.lower() not in ("date", "content-length"):
                facts[f"{kind} {name}"] = float(sum(value.encode()))
    return facts


def _said(one: Seen) -> dict[str, float]:
    """Every number and flag of the step, of the picture after it too; not the position, which is the order's."""
    step = json.loads(one.step.body)
    parts = {"step": step, "picture": step["stimulus"], "next picture": step["next"] or {}}
    return {
        f"{part} {name}": float(value)
        for part, fields in parts.items()
        for name, value in fields.items()
        if isinstance(value, int | float) and name != "position"
    }


def _lengths(one: Seen) -> dict[str, float]:
    # A flag is one letter longer when it is false; what it says is looked at by itself.
    digits = len(str(one.position)) + one.step.body.count(b"false")
    return {
        "picture": float(len(one.pictures[0].body)),
        "picture's Content-Length": float(dict(one.pictures[0].headers).get("Content-Length", 0)),
        "step": float(len(one.step.body) - digits),
    }


def _times(one: Seen) -> dict[str, float]:
    seconds = [answer.seconds for answer in one.pictures]
    return {"first fetch": seconds[0], "fastest fetch": min(seconds), "step": one.step.seconds}


def _cache(one: Seen) -> dict[str, float]:
    first, again = one.pictures[0], one.conditional
    return {
        "status of a conditional fetch": float(again.status),
        "length of a conditional fetch": float(len(again.body)),
        "same fields": float({n for n, _ in first.headers} == {n for n, _ in again.headers}),
    }


def _pixels(one: Seen) -> dict[str, float]:
    return pixel_facts(decode_png(one.pictures[0].body))


def _stored(seen: Sequence[Seen]) -> Facts:
    """The facts of a presentation's stimulus on the server, which only the database connects with its code."""
    rows = Presentation.objects.filter(code__in=[one.code for one in seen]).select_related("stimulus")
    by_code = {row.code: storage_facts(row.stimulus) for row in rows}
    return lambda one: by_code[one.code]


WIRE: dict[str, Facts] = {
    "codes": _codes,
    "order": _order,
    "addresses": _addresses,
    "what the step says": _said,
    "header fields": _headers,
    "lengths": _lengths,
    "response times": _times,
    "cache behaviour": _cache,
}


def _finding(
    family: str, facts_of: Facts, seen: Sequence[Seen], labels: NDArray[np.int64], rng: np.random.Generator
) -> Finding:
    facts = [facts_of(one) for one in seen]
    names = sorted({name for each in facts for name in each})
    # A field that only some answers carry is a fact too.
    table = np.array([[each.get(name, -1.0) for name in names] for each in facts])
    result = separability(table, labels, rng=rng)
    alone = {
        name: feature_auc(table[:, place], labels) for place, name in enumerate(names) if table[:, place].std() > 0
    }
    return Finding(family=family, auc=result.auc, p=result.p, features=result.features, facts=alone)


def _smallest_after_holm(findings: Sequence[Finding]) -> float:
    """Holm's correction (1979): the smallest p times the number of families decides whether any is rejected."""
    return min(1.0, min(finding.p for finding in findings) * len(findings))


def _store(
    study: Study,
    passed: bool,
    wire_part: Sequence[Finding],
    stored_part: Sequence[Finding],
    pixel_part: Sequence[Finding],
    *,
    images: int,
    at: datetime,
) -> BlindingAudit:
    result = {
        "images": images,
        "level": LEVEL,
        "wire": [asdict(finding) for finding in wire_part],
        "stored": [asdict(finding) for finding in stored_part],
        "pixels": [asdict(finding) for finding in pixel_part],
    }
    audit = BlindingAudit.objects.create(study=study, at=at, passed=passed, result=result)
    record("blinding.audited", actor=None, subject=study, at=at, passed=passed)
    return audit
