"""Storing patients, images and stimuli: pseudonyms at the door, one pixel path, random file names."""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from readerstudy.cohort.models import Cohort, Exam, Image, Patient, Stimulus
from readerstudy.cohort.prepare import Prepared
from readerstudy.errors import StudyError
from readerstudy.imaging.image import RESOLUTIONS
from readerstudy.names import require_name


def ensure_cohort(
    name: str, *, seed: int, fractions: Sequence[float], resolutions: Sequence[str], at: datetime
) -> Cohort:
    """Return the cohort of that name, created if need be.

    Raises BadInput for a name that breaks the rule, StudyError if the cohort exists with another split.
    """
    require_name(name, label="cohort")
    plan = {"seed": seed, "fractions": list(fractions), "resolutions": list(resolutions)}
    cohort, is_new = Cohort.objects.get_or_create(name=name, defaults={**plan, "created_at": at})
    differing = [key for key, value in plan.items() if getattr(cohort, key) != value]
    if not is_new and differing:
        said = ", ".join(f"{key} {getattr(cohort, key)}" for key in differing)
        raise StudyError(f"The cohort {name} exists with {said}; import with the same, or under another name.")
    return cohort


def fingerprint(text: str) -> str:
    """A keyed one-way hash: the same text gives the same fingerprint in this installation and no other."""
    return hmac.new(settings.PSEUDONYM_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def ensure_patient(cohort: Cohort, patient_key: str, *, split: str) -> Patient:
    """The patient behind the source's key, under a pseudonym that is given in order of arrival."""
    mark = fingerprint(f"patient:{cohort.name}:{patient_key}")
    found = Patient.objects.filter(cohort=cohort, fingerprint=mark).first()
    if found:
        return found
    number = Patient.objects.filter(cohort=cohort).count() + 1
    return Patient.objects.create(cohort=cohort, pseudonym=f"P{number:05d}", fingerprint=mark, split=split)


@transaction.atomic
def store_image(patient: Patient, prepared: Prepared) -> tuple[Image, list[Stimulus]]:
    """Store the image and its real stimuli. An image that is there already gives no new stimuli.

    One that was imported before its chest wall was measured gets it now.
    """
    exam, _ = Exam.objects.get_or_create(patient=patient, number=1, defaults={"modality": prepared.source.modality})
    image, is_new = Image.objects.get_or_create(
        exam=exam,
        fingerprint=fingerprint(f"image:{prepared.digest}"),
        defaults={
            "laterality": prepared.source.laterality,
            "view_position": prepared.source.view_position,
            "source_bits": prepared.bits,
            "source_rows": prepared.rows,
            "source_columns": prepared.columns,
            "pixel_spacing_mm": prepared.source.pixel_spacing_mm,
            "chest_wall": prepared.chest_wall,
        },
    )
    if not is_new:
        if not image.chest_wall and prepared.chest_wall:
            image.chest_wall = prepared.chest_wall
            image.save(update_fields=["chest_wall"])
        return image, []
    return image, [
        register_stimulus(image, resolution=name, written=write_media(png)) for name, png in prepared.pngs.items()
    ]


@dataclass(frozen=True)
class Written:
    """A picture that lies on the disk under a random name."""

    file: str  # below the media folder
    bytes: int
    sha256: str


def register_stimulus(image: Image, *, resolution: str, written: Written) -> Stimulus:
    """Register one written picture. Real and adversarial pictures both come here."""
    rows, columns = RESOLUTIONS[resolution]
    return Stimulus.objects.create(
        image=image,
        resolution=resolution,
        rows=rows,
        columns=columns,
        file=written.file,
        bytes=written.bytes,
        sha256=written.sha256,
    )


def write_media(content: bytes) -> Written:
    """Write a picture to a random name below the media folder, whole or not at all. Touches no database."""
    name = uuid4().hex
    path = Path(settings.MEDIA_ROOT) / name[:2] / f"{name}.png"
    if not path.parent.exists():
        _make_folders()
    replace_file(path, content)
    return Written(str(path.relative_to(settings.MEDIA_ROOT)), len(content), hashlib.sha256(content).hexdigest())


def replace_file(path: Path, content: bytes) -> None:
    """Write a media file, whole or not at all. A file of that name is replaced in one step.

    All files have the same date, because the date of writing would tell adversarial images from real ones.
    """
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.utime(draft, (0, 0))
    draft.replace(path)


def _make_folders() -> None:
    """Make every folder that a name can fall into. One made for an adversarial image would be newer than the rest."""
    for number in range(256):
        (Path(settings.MEDIA_ROOT) / f"{number:02x}").mkdir(parents=True, exist_ok=True)
