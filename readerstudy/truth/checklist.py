"""What keeps a protocol from being drawn from a cohort, finding by finding, for a page or a command.

It reveals counts per split and pathology, which coordinators may know, and no image.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput, StudyError
from readerstudy.studies.protocol_document import Protocol
from readerstudy.studies.rules import Aid
from readerstudy.truth.aids import find_aid_source
from readerstudy.truth.material import attacks_of_cohort, resolve_attacks
from readerstudy.truth.queries import count_supply
from readerstudy.truth.shortages import Pool, Supply, shortages
from readerstudy.vocabulary import Split

_LOCATION = re.compile(r"protocol (?:sessions (?P<session>\d+) )?(?P<field>[a-z_]+)")


@dataclass(frozen=True)
class Finding:
    """One reason why a protocol cannot be drawn: where it says so, and a sentence. `session` None: of the study."""

    session: int | None
    field: str
    sentence: str


def checklist(cohort: Cohort, protocol: Protocol) -> tuple[Finding, ...]:
    """Return every reason why the protocol cannot be drawn from the cohort now; empty if it can."""
    try:
        protocol.check()
    except BadInput as error:
        return (_located(str(error)),)
    findings = list(_resolutions(cohort, protocol))
    if findings:
        return tuple(findings)
    attacks: dict[int, Collection[str]] = {}
    for number in range(1, len(protocol.sessions) + 1):
        try:
            attacks[number] = _attacks(cohort, protocol, number)
        except StudyError as error:
            findings.append(Finding(number, "attacks", str(error)))
    if findings:
        return tuple(dict.fromkeys(findings))
    findings += _aids(cohort, protocol, attacks)
    supply = _supply(cohort, protocol, attacks)
    lacks = shortages(protocol.templates, supply, attacks=attacks)
    findings += [Finding(lack.session, lack.field, f"{lack.sentence[0].upper()}{lack.sentence[1:]}.") for lack in lacks]
    return (*findings, *_practice(protocol, supply))


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
            known = ", ".join(cohort.resolutions) or "none yet"
            text = _("The cohort %(cohort)s has no images at %(resolution)s resolution; it has: %(known)s.")
            sentence = text % {"cohort": cohort.name, "resolution": resolution, "known": known}
            yield Finding(number, "resolution", sentence)
    if not cohort.resolutions:
        yield Finding(None, "resolution", _("The cohort %(cohort)s has no images.") % {"cohort": cohort.name})


def _resolution(cohort: Cohort, protocol: Protocol, number: int) -> str:
    return protocol.sessions[number - 1].resolution or protocol.resolution or cohort.resolutions[0]


def _attacks(cohort: Cohort, protocol: Protocol, number: int) -> Collection[str]:
    """Return the attacks that a session draws from. Raises StudyError as `resolve_attacks` does."""
    session = protocol.sessions[number - 1]
    if not session.needs_adversarial:
        return ()
    names = session.attacks or protocol.attacks
    return resolve_attacks(cohort, _resolution(cohort, protocol, number), names, shows_pairs=session.shows_pairs)


def _aids(cohort: Cohort, protocol: Protocol, attacks: Mapping[int, Collection[str]]) -> Iterator[Finding]:
    for number, session in enumerate(protocol.sessions, start=1):
        if session.rules.aid == Aid.NONE:
            continue
        source = session.images_of or number
        try:
            find_aid_source(
                cohort,
                resolution=_resolution(cohort, protocol, source),
                attacks=attacks[source],
                splits=protocol.source(number).splits,
            )
        except StudyError as error:
            yield Finding(number, "rules-aid", str(error))


def _supply(cohort: Cohort, protocol: Protocol, attacks: Mapping[int, Collection[str]]) -> dict[Pool, Supply]:
    counted = {}
    for number, names in attacks.items():
        counted[number] = count_supply(cohort, _resolution(cohort, protocol, number), names)
    supply = {}
    for pool in {pool for counts in counted.values() for pool in counts}:
        own = {number: counts[pool] for number, counts in counted.items() if pool in counts}
        synthetic = {attack: count for each in own.values() for attack, count in each.synthetic.items()}
        images = next(iter(own.values())).images
        with_adversarial = {number: each.with_adversarial for number, each in own.items() if attacks[number]}
        supply[pool] = Supply(images, with_adversarial, synthetic)
    return supply


def _practice(protocol: Protocol, supply: Mapping[Pool, Supply]) -> Iterator[Finding]:
    """Practice images are real images of the training split that no session shows."""
    wanted = [number for number, each in enumerate(protocol.sessions, start=1) if each.rules.practice]
    free = sum(each.images for (split, _), each in supply.items() if split == Split.TRAIN)
    free -= sum(session.total for session in protocol.sessions if session.splits == (Split.TRAIN.value,))
    if len(wanted) > max(0, free):
        text = _("The plan has %(wanted)s practice images; only %(free)s images of the training split are left.")
        yield Finding(wanted[0], "rules", text % {"wanted": len(wanted), "free": max(0, free)})


def offered_attacks(cohort: Cohort) -> frozenset[str]:
    """Return the names of the attacks with images of the cohort, at any resolution."""
    return frozenset(name for resolution in cohort.resolutions for name in attacks_of_cohort(cohort, resolution))
