"""What keeps a protocol from being drawn from a cohort, finding by finding, for a page or a command.

It reveals counts per split and pathology, which coordinators may know, and no image.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput, StudyError
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.rules import Aid
from readerstudy.sealed_work import sealed_work
from readerstudy.truth.aids import find_aid_source
from readerstudy.truth.material import attacks_of_cohort, drawn_from
from readerstudy.truth.queries import count_kinds
from readerstudy.truth.shortages import shortages

_LOCATION = re.compile(r"protocol (?:sessions (?P<session>\d+) )?(?P<field>[a-z_]+)")


@dataclass(frozen=True)
class Finding:
    """One reason why a protocol cannot be drawn: where it says so, and a sentence. `session` None: of the study."""

    session: int | None
    field: str
    sentence: str


@sealed_work()
def checklist(cohort: Cohort, protocol: Protocol) -> tuple[Finding, ...]:
    """Return every reason why the protocol cannot be drawn from the cohort now; empty if it can."""
    try:
        protocol.check()
    except BadInput as error:
        return (_located(str(error)),)
    findings = list(_resolutions(cohort, protocol))
    if findings:
        return tuple(findings)
    needing = [n for n, session in enumerate(protocol.sessions, start=1) if session.needs_adversarial]
    others = set(range(1, len(protocol.sessions) + 1)).difference(needing)
    sources: dict[int, tuple[str, tuple[str, ...]]] = {}
    for number in (*needing, *others):
        try:
            sources[number] = drawn_from(cohort, protocol, number)
        except StudyError as error:
            if number in needing:  # the others have the attacks of one of these
                findings.append(Finding(number, "attacks", str(error)))
    if findings:
        return tuple(findings)
    findings += _aids(cohort, protocol, sources)
    lacks = shortages(protocol.templates, count_kinds(cohort, sources), practice=protocol.with_practice)
    findings += [Finding(lack.session, lack.field, f"{lack.sentence[0].upper()}{lack.sentence[1:]}.") for lack in lacks]
    return tuple(findings)


def _located(sentence: str) -> Finding:
    """Return a broken rule of the protocol with the location that its sentence begins with."""
    match = _LOCATION.match(sentence)
    session = match["session"] if match else None
    return Finding(int(session) if session else None, match["field"] if match else "", sentence)


def _resolutions(cohort: Cohort, protocol: Protocol) -> Iterator[Finding]:
    wanted: list[tuple[int | None, str | None]] = [(None, protocol.resolution)]
    wanted += [(number, each.resolution) for number, each in enumerate(protocol.sessions, start=1)]
    for number, resolution in wanted:
        if resolution is not None and resolution not in cohort.resolutions:
            known = ", ".join(cohort.resolutions) or _("none yet")
            text = _("The cohort %(cohort)s has no images at %(resolution)s resolution; it has: %(known)s.")
            sentence = text % {"cohort": cohort.name, "resolution": resolution, "known": known}
            yield Finding(number, "resolution", sentence)
    if not cohort.resolutions:
        yield Finding(None, "resolution", _("The cohort %(cohort)s has no images.") % {"cohort": cohort.name})


def _aids(cohort: Cohort, protocol: Protocol, sources: Mapping[int, tuple[str, tuple[str, ...]]]) -> Iterator[Finding]:
    for number, session in enumerate(protocol.sessions, start=1):
        if session.rules.aid == Aid.NONE:
            continue
        resolution, attacks = sources[number]
        try:
            find_aid_source(cohort, resolution=resolution, attacks=attacks, splits=protocol.source(number).splits)
        except StudyError as error:
            yield Finding(number, "rules-aid", str(error))


@sealed_work()
def offered_attacks(cohort: Cohort) -> frozenset[str]:
    """Return the names of the attacks with images of the cohort, at any resolution."""
    return frozenset(name for resolution in cohort.resolutions for name in attacks_of_cohort(cohort, resolution))
