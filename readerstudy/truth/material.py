"""What a protocol draws from: the real and adversarial images of each session."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput, StudyError
from readerstudy.studies.protocol_document import Protocol, ProtocolSession
from readerstudy.truth.draw import Candidate
from readerstudy.truth.queries import (
    AdversarialImage,
    RealImage,
    adversarial_images,
    attacks_by_direction,
    real_images,
)
from readerstudy.vocabulary import Direction


@dataclass(frozen=True)
class SessionMaterial:
    """The images that one session can show, by image, at its resolution and by its attacks."""

    resolution: str
    generators: tuple[str, ...]
    real: Mapping[int, RealImage]
    adversarial: Mapping[int, AdversarialImage]


@dataclass(frozen=True)
class Material:
    """The images that a study can show. `sessions` are by number, `resolution` is the study's own."""

    resolution: str
    candidates: list[Candidate]
    sessions: Mapping[int, SessionMaterial]

    @property
    def with_adversarial(self) -> Mapping[int, Collection[int]]:
        """The images that have an adversarial version, by session."""
        return {number: own.adversarial.keys() for number, own in self.sessions.items()}


def find_material(cohort: Cohort, protocol: Protocol, *, excluded_before: datetime | None = None) -> Material:
    """Return the images that the sessions of a protocol can draw from a cohort.

    Excluded images are left out; with `excluded_before` only those excluded before that time.
    Raises BadInput or StudyError if the images of a resolution or of an attack are missing, or if several attacks fit.
    """
    resolution = protocol.resolution or cohort.resolutions[0]
    found: dict[tuple[str, tuple[str, ...]], SessionMaterial] = {}
    sessions: dict[int, SessionMaterial] = {}
    for number in range(1, len(protocol.sessions) + 1):
        session = protocol.source(number)
        wanted = (session.resolution or resolution, _wanted_attacks(protocol, session))
        if wanted not in found:
            found[wanted] = _session_material(cohort, *wanted, protocol=protocol, excluded_before=excluded_before)
        sessions[number] = found[wanted]
    first = sessions[1]
    candidates = [
        Candidate(image.image_id, image.label, image.split, has_adversarial=image.image_id in first.adversarial)
        for image in first.real.values()
    ]
    return Material(resolution, candidates, sessions)


def _wanted_attacks(protocol: Protocol, session: ProtocolSession) -> tuple[str, ...]:
    return session.attacks or protocol.attacks


def _session_material(
    cohort: Cohort, resolution: str, attacks: tuple[str, ...], *, protocol: Protocol, excluded_before: datetime | None
) -> SessionMaterial:
    is_needed = any(session.needs_adversarial for session in protocol.sessions)
    generators = resolve_attacks(cohort, resolution, attacks) if is_needed else ()
    real = {image.image_id: image for image in real_images(cohort, resolution)}
    adversarial = adversarial_images(cohort, resolution, generators, excluded_before=excluded_before)
    return SessionMaterial(resolution, generators, real, adversarial)


def resolve_attacks(cohort: Cohort, resolution: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the attacks to draw from: the named ones, or the only ones that there are.

    Raises StudyError if there is no attack or more than one for a direction, and lists those that there are.
    """
    by_direction = attacks_by_direction(cohort, resolution)
    known = {name for attacks in by_direction.values() for name in attacks}
    if unknown := [name for name in names if name not in known]:
        text = _(
            "The cohort %(cohort)s has no adversarial images of %(names)s at %(resolution)s resolution; it has those "
            "of: %(known)s."
        )
        raise BadInput(
            text
            % {
                "cohort": cohort.name,
                "names": ", ".join(unknown),
                "resolution": resolution,
                "known": ", ".join(sorted(known)) or _("none yet"),
            }
        )
    chosen: list[str] = []
    for direction, attacks in by_direction.items():
        candidates = sorted(attacks & set(names)) if names else sorted(attacks)
        if not candidates:
            raise StudyError(_no_images(cohort, resolution, direction, names))
        if len(candidates) > 1:
            text = _(
                "Several attacks %(direction)s the finding at %(resolution)s resolution: %(attacks)s. Name the one to "
                "draw from with --attack: one attack that does both, or one for each direction."
            )
            values = {"direction": _verb(direction), "resolution": resolution, "attacks": ", ".join(candidates)}
            raise BadInput(text % values)
        chosen += candidates
    return tuple(dict.fromkeys(chosen))


def _no_images(cohort: Cohort, resolution: str, direction: Direction, names: Collection[str]) -> str:
    values = {
        "cohort": cohort.name,
        "direction": _verb(direction),
        "resolution": resolution,
        "names": ", ".join(names),
    }
    if names:
        text = _(
            "The cohort %(cohort)s has no adversarial images (%(direction)s) at %(resolution)s resolution of %(names)s;"
            " make them with generate_stimuli."
        )
    else:
        text = _(
            "The cohort %(cohort)s has no adversarial images (%(direction)s) at %(resolution)s resolution; make them "
            "with generate_stimuli."
        )
    return text % values


def _verb(direction: Direction) -> str:
    return _("insert") if direction == Direction.INSERT else _("remove")
