"""Builders: the smallest real things that tests need. Pictures are drawn here, never taken from anybody."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
from django.conf import settings
from django.db import connection

from readerstudy.accounts.models import Role, User
from readerstudy.cohort.models import Cohort, Stimulus, random_key
from readerstudy.cohort.prepare import prepare
from readerstudy.cohort.storage import ensure_patient, store_image, write_media
from readerstudy.experiments.models import Attack
from readerstudy.imaging.difference import signed_difference
from readerstudy.imaging.image import Pixels, quantise
from readerstudy.imaging.png16 import decode_png, encode_png
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.sealed_work import sealed_work
from readerstudy.sources.source import ImportBatch, ImportImage
from readerstudy.studies.actions import add_member, enroll
from readerstudy.studies.models import Study
from readerstudy.truth.actions import (
    AttackProvenance,
    create_study,
    import_cohort,
    register_adversarial_image,
    register_synthetic_image,
)
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import real_images
from readerstudy.truth.queries.images import RealImage
from readerstudy.vocabulary import SYNTHETIC, Direction
from tests.kept import kept
from tests.tamper import without_triggers

PATHOLOGIES = {finding.word: pathology for pathology, finding in MAMMOGRAPHY.findings.items()}
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def small_resolutions(monkeypatch, size=(64, 52)) -> None:
    """Tests of the protocol do not need two million pixels."""
    for name, layout in MAMMOGRAPHY.layouts.items():
        small = replace(layout, rows=size[0], columns=size[1])
        monkeypatch.setitem(MAMMOGRAPHY.layouts, name, small)


def user(name: str, role: Role = Role.READER, **fields) -> User:
    staff = role != Role.READER
    created = User.objects.create_user(name, password=f"{name}-secret-1", role=role, is_staff=staff, **fields)
    if staff:
        join([created], Study.objects.all())
    return created


def stranger(name: str, role: Role) -> User:
    """A coordinator or researcher who takes part in none of the studies that there are."""
    return User.objects.create_user(name, password=f"{name}-secret-1", role=role, is_staff=True)


def overseer() -> User:
    """A superuser, who takes part in every study."""
    values = {"role": Role.RESEARCHER, "is_staff": True, "is_superuser": True}
    return User.objects.get_or_create(username="overseer", defaults=values)[0]


def join(people: Iterable[User], studies: Iterable[Study]) -> None:
    """Most tests are not about rights: in them every coordinator and researcher takes part in every study."""
    for study in studies:
        present = set(study.members.values_list("person", flat=True))
        for person in people:
            if person.pk not in present:
                add_member(study=study, person=person, role=Role(person.role), actor=None, at=MONDAY)


def drawn(number: int, bits: int = 12, size=(96, 78)) -> Pixels:
    """A synthetic breast: a bright half ellipse with noise on a dark ground, different for every number."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    inside = (x / (0.8 * size[1])) ** 2 + ((y - size[0] / 2) / (0.45 * size[0])) ** 2 < 1
    grey = np.where(inside, 0.5 + 0.1 * rng.standard_normal(size), 0.02)
    return Pixels(values=np.clip(grey * 2**bits, 0, 2**bits - 1).astype(np.uint16), bits=bits)


def source(number: int, patient: str, pathology: str, laterality: str = "L", view: str = "CC") -> ImportImage:
    return ImportImage(
        name=f"film-{number}.png",
        patient_key=patient,
        pathology=PATHOLOGIES[pathology],
        pixel_spacing_mm=0.07,
        modality="MG",
        load=partial(drawn, number),
        attributes={"laterality": laterality, "view_position": view},
    )


def found(patients: int = 22) -> ImportBatch:
    """Two images of each patient; every third patient has cancer."""
    images = []
    for number in range(patients):
        pathology = "malignant" if number % 3 == 0 else ("benign" if number % 3 == 1 else "normal")
        for view in ("CC", "MLO"):
            images.append(source(len(images), f"patient-{number}", pathology, view=view))
    return ImportBatch("MG", tuple(images))


def cohort(name: str = "films", patients: int = 22, fractions=(0.3, 0.3, 0.4), resolutions=("low",)) -> Cohort:
    """A cohort with the images of `found`, imported once for all tests with the same arguments."""

    def build() -> None:
        values = {"fractions": fractions, "resolutions": resolutions, "processes": 1}
        import_cohort(name, found(patients), seed=1, at=MONDAY, **values)

    arguments = (name, patients, tuple(fractions), tuple(resolutions), tuple(MAMMOGRAPHY.layouts.items()))
    others = tuple(Stimulus.objects.order_by("pk").values_list("pk", flat=True))
    kept(("cohort", *arguments, others, settings.PSEUDONYM_KEY), build)
    return Cohort.named(name)


@sealed_work()
def adversarial_images_for(
    cohort: Cohort, resolutions=("low",), prefix: str = "gan", attack: str = "", directions=tuple(Direction), every=1
) -> None:
    """Register an adversarial image for each n-th image: a bright blob inserted, or the brightest part damped.

    They belong to the attack, or to two GANs whose names have the prefix. Those of the same images are made once.
    """
    names = {direction: attack or f"{prefix}-{direction.value}" for direction in directions}
    pictures = [picture for name in resolutions for picture in real_images(cohort, name)[::every]]
    chosen = [picture for picture in pictures if _direction(picture) in names]
    if Truth.objects.filter(generator__in=names.values()).exists():
        _register_altered(chosen, names)
    else:
        identity = tuple((picture.stimulus_id, picture.label) for picture in chosen)
        kept(("adversarial", identity, tuple(names.items())), lambda: _register_altered(chosen, names))


def _direction(picture: RealImage) -> Direction:
    return Direction.REMOVE if picture.label else Direction.INSERT


def _register_altered(pictures: Iterable[RealImage], generators: Mapping[Direction, str]) -> None:
    for picture in pictures:
        direction = _direction(picture)
        real = decode_png(picture.path)
        altered = altered_copy(real, direction)
        register_adversarial_image(
            Stimulus.objects.get(pk=picture.stimulus_id),
            picture=write_media(encode_png(altered)),
            difference=write_media(encode_png(signed_difference(real, altered))),
            provenance=AttackProvenance(direction=direction, generator=generators[direction], seed=1),
        )


def synthetic_images_for(cohort: Cohort, count: int = 40, attack: str = "made") -> None:
    """Register synthetic images, each in a group of its own; every second one shows cancer, half are held out."""
    row = Attack.objects.create(name=attack, method=SYNTHETIC, cohort=cohort.name, code_version="x", made_at=MONDAY)
    sizes = {name: cohort.size_of(name) for name in cohort.resolutions}
    for number in range(count):
        picture = source(1000 + number, f"made-{number}", ("malignant", "normal")[number % 2])
        prepared = prepare(picture, modality=cohort.modality_code, sizes=sizes)
        patient = ensure_patient(cohort, f"{attack}-{number}", split=("test", "train")[number // 2 % 2])
        register_synthetic_image(store_image(patient, prepared), attack=row, lesions=None, quality={"sharpness": 3.0})


def altered_copy(real: np.ndarray, direction: Direction) -> np.ndarray:
    y, x = np.mgrid[0 : real.shape[0], 0 : real.shape[1]]
    blob = np.exp(-(((y - real.shape[0] / 2) ** 2 + (x - real.shape[1] / 4) ** 2) / (2 * 4.0**2)))
    sign = 1 if direction == Direction.INSERT else -1
    return quantise(real + sign * 8000.0 * blob * (real > 4000))


def renumber_stimuli() -> None:
    """Give every stimulus another random key, as if the same study were made in another database."""
    keys = {old: random_key() for old in Stimulus.objects.values_list("pk", flat=True)}
    columns = [(Stimulus._meta.db_table, Stimulus._meta.pk.column)]
    for relation in Stimulus._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete:
            columns.append((relation.related_model._meta.db_table, relation.field.column))
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE renumbered (old bigint PRIMARY KEY, new bigint) ON COMMIT DROP")
        cursor.executemany("INSERT INTO renumbered VALUES (%s, %s)", list(keys.items()))
        for table, column in columns:
            cursor.execute(f"UPDATE {table} SET {column} = new FROM renumbered WHERE {column} = old")
        cursor.execute("DROP TABLE renumbered")


def study(code: str = "tiny", scale: float = 0.03, **changes) -> Study:
    """A drawn study of 3, 3, 14, 3 and 14 images on a cohort of its own. One person may unseal it."""
    drawn_from = cohort(name=f"films-{code}")
    adversarial_images_for(drawn_from)
    values = {"title": "A tiny study", "template": "zhou2021", "seed": 7, "at": MONDAY, "resolution": "low"}
    values["persons_to_unseal"] = 1
    created = create_study(code=code, cohort=drawn_from, scale=scale, **{**values, **changes})
    join(User.objects.exclude(role=Role.READER), [created])
    return created


def reader_in(study: Study, name: str = "rita") -> User:
    reader = user(name)
    enroll(study=study, reader=reader, at=MONDAY)
    return reader
