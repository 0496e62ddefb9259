"""What a protocol draws from: the real and adversarial images of each session."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput, StudyError
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.sealed_work import sealed_work
from readerstudy.truth.draw import Candidate
from readerstudy.truth.queries import (
    AdversarialImage,
    RealImage,
    adversarial_images,
    attacks_by_direction,
    real_images,
    synthetic_attacks,
    synthetic_images,
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
        """The images that have an adversarial version, or are synthetic, by session."""
        return {number: own.adversarial.keys() for number, own in self.sessions.items()}


@sealed_work()
def find_material(cohort: Cohort, protocol: Protocol, *, excluded_before: datetime | None = None) -> Material:
    """Return the images that the sessions of a protocol can draw from a cohort.

    Excluded images are left out; with `excluded_before` only those excluded before that time.
    Raises BadInput or StudyError if the images of a resolution or of an attack are missing, or if several attacks fit.
    """
    resolution = protocol.resolution or cohort.resolutions[0]
    found: dict[tuple[str, tuple[str, ...]], SessionMaterial] = {}
    sessions: dict[int, SessionMaterial] = {}
    for number in range(1, len(protocol.sessions) + 1):
        wanted = drawn_from(cohort, protocol, number)
        if wanted not in found:
            found[wanted] = _session_material(cohort, *wanted, excluded_before=excluded_before)
        sessions[number] = found[wanted]
    return Material(resolution, [*_real_candidates(sessions[1]), *_synthetic_candidates(cohort, sessions)], sessions)


def _real_candidates(first: SessionMaterial) -> Iterator[Candidate]:
    for image in first.real.values():
        yield Candidate(image.image_id, image.label, image.split, has_adversarial=image.image_id in first.adversarial)


def _synthetic_candidates(cohort: Cohort, sessions: Mapping[int, SessionMaterial]) -> Iterator[Candidate]:
    """Yield the synthetic images that any session can show, each once."""
    wanted = {image.image_id for own in sessions.values() for image in own.adversarial.values() if image.is_synthetic}
    if not wanted:
        return
    generators = {name for own in sessions.values() for name in own.generators}
    for resolution in dict.fromkeys(own.resolution for own in sessions.values()):
        for image in synthetic_images(cohort, resolution, generators):
            if image.image_id in wanted:
                wanted.remove(image.image_id)
                yield Candidate(image.image_id, image.label, image.split, has_adversarial=True, is_synthetic=True)


def drawn_from(cohort: Cohort, protocol: Protocol, number: int) -> tuple[str, tuple[str, ...]]:
    """Return the resolution and the attacks of the images of a session; without an attack if none shows altered images.

    A session that shows real images only has the attacks of one that asks for the same. Raises what `resolve_attacks`
    does.
    """
    session = protocol.source(number)
    resolution = session.resolution or protocol.resolution or cohort.resolutions[0]

    def asks_for(each: ProtocolSession) -> tuple[str | None, tuple[str, ...]]:
        return each.resolution or protocol.resolution, each.attacks or protocol.attacks

    alike = (each for each in (session, *protocol.sessions) if asks_for(each) == asks_for(session))
    needing = next((each for each in alike if each.needs_adversarial), None)
    if needing is None:
        return resolution, ()
    names = session.attacks or protocol.attacks
    return resolution, resolve_attacks(cohort, resolution, names, shows_pairs=needing.shows_pairs)


def _session_material(
    cohort: Cohort, resolution: str, generators: tuple[str, ...], *, excluded_before: datetime | None
) -> SessionMaterial:
    real = {image.image_id: image for image in real_images(cohort, resolution)}
    adversarial = adversarial_images(cohort, resolution, generators, excluded_before=excluded_before)
    return SessionMaterial(resolution, generators, real, adversarial)


@sealed_work()
def attacks_of_cohort(cohort: Cohort, resolution: str) -> set[str]:
    """Return the names of all attacks with images of the cohort at a resolution."""
    pairs = {name for names in attacks_by_direction(cohort, resolution).values() for name in names}
    return pairs | synthetic_attacks(cohort, resolution)


@sealed_work()
def resolve_attacks(
    cohort: Cohort, resolution: str, names: Collection[str], *, shows_pairs: bool = False
) -> tuple[str, ...]:
    """Return the attacks to draw from: the named ones, or the only ones that there are.

    These are one attack of pairs for each direction, or attacks of synthetic images, or both; a session that
    `shows_pairs` needs the former. Raises StudyError if there is no attack or more than one for a direction, and lists
    those that there are.
    """
    synthetic = synthetic_attacks(cohort, resolution)
    _require_known(cohort, resolution, names)
    if not names:
        names = _only_synthetic(cohort, resolution, synthetic) if synthetic and not shows_pairs else ()
    paired = set(names) - synthetic
    if names and not paired:
        if shows_pairs:
            text = _(
                "The images of %(attacks)s are synthetic: they have no real image to be shown beside. Name an attack "
                "that has one for the sessions that show pairs."
            )
            raise StudyError(text % {"attacks": ", ".join(sorted(names))})
        return tuple(sorted(names))
    return (*_resolve_pairs(cohort, resolution, paired), *sorted(set(names) & synthetic))


def _only_synthetic(cohort: Cohort, resolution: str, synthetic: Collection[str]) -> tuple[str, ...]:
    """Return the attack of a cohort whose only adversarial images are its synthetic ones. Raises BadInput."""
    known = sorted(attacks_of_cohort(cohort, resolution))
    if len(known) == 1:
        return tuple(synthetic)
    text = _(
        "The cohort %(cohort)s has synthetic images and several attacks at %(resolution)s resolution: %(known)s. Name "
        "those to draw from with --attack."
    )
    raise BadInput(text % {"cohort": cohort.name, "resolution": resolution, "known": ", ".join(known)})


def _require_known(cohort: Cohort, resolution: str, names: Collection[str]) -> None:
    known = attacks_of_cohort(cohort, resolution)
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


def _resolve_pairs(cohort: Cohort, resolution: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the named attacks, or the only ones: one for each direction. Raises StudyError."""
    chosen: list[str] = []
    for direction, attacks in attacks_by_direction(cohort, resolution).items():
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
