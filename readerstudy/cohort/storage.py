"""Storage of patients, images and stimuli: pseudonyms, one path for all pixels, random file names."""

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from readerstudy.cohort.media_journal import note_file
from readerstudy.cohort.models import Cohort, Exam, Image, Patient, Stimulus
from readerstudy.cohort.prepare import PreparedImage
from readerstudy.errors import BadInput, StudyError
from readerstudy.errors import Sentence as _
from readerstudy.modalities.modality import Modality
from readerstudy.names import require_name


def ensure_cohort(
    name: str,
    *,
    modality: Modality,
    seed: int,
    fractions: Sequence[float],
    resolutions: Sequence[str],
    at: datetime,
    is_drawn: bool = False,
) -> Cohort:
    """Return the cohort of that name, created if need be. `resolutions` are names of the modality's layouts.

    `is_drawn`: a computer drew the images.

    Raises BadInput for a name that breaks the rule or a resolution that the modality lacks, StudyError if the cohort
    exists with another modality, layout, split or `is_drawn`.
    """
    plan = _plan(name, modality, seed, fractions, resolutions, is_drawn)
    cohort, is_new = Cohort.objects.get_or_create(name=name, defaults={**plan, "created_at": at})
    return cohort if is_new else _require_same(cohort, plan)


def planned_cohort(
    name: str,
    *,
    modality: Modality,
    seed: int,
    fractions: Sequence[float],
    resolutions: Sequence[str],
    is_drawn: bool = False,
) -> Cohort:
    """Return the cohort of that name, or one that is not stored, with the key 0. Raises as `ensure_cohort` does."""
    plan = _plan(name, modality, seed, fractions, resolutions, is_drawn)
    cohort = Cohort.objects.filter(name=name).first()
    return _require_same(cohort, plan) if cohort else Cohort(pk=0, name=name, **plan)


def _plan(
    name: str,
    modality: Modality,
    seed: int,
    fractions: Sequence[float],
    resolutions: Sequence[str],
    is_drawn: bool,
) -> dict[str, Any]:
    require_name(name, label="cohort")
    layout = [_layout(modality, resolution) for resolution in resolutions]
    split = {"seed": seed, "fractions": list(fractions)}
    return {**split, "modality_code": modality.code, "layout": layout, "is_drawn": is_drawn}


def _require_same(cohort: Cohort, plan: Mapping[str, Any]) -> Cohort:
    """Return the cohort. Raises StudyError if it was stored with another plan."""
    differing = [key for key, value in plan.items() if getattr(cohort, key) != value]
    if differing:
        shown = {
            "modality_code": ("modality", cohort.modality_code),
            "layout": ("resolutions", list(cohort.resolutions)),
            "is_drawn": ("images", "drawn by a computer" if cohort.is_drawn else "not drawn by a computer"),
        }
        words = (shown.get(key, (key, getattr(cohort, key))) for key in differing)
        values = ", ".join(f"{key} {value}" for key, value in words)
        raise StudyError(
            _(
                "The cohort %(name)s exists with %(values)s; import with the same, or under another name.",
                name=cohort.name,
                values=values,
            )
        )
    return cohort


def _layout(modality: Modality, resolution: str) -> dict[str, Any]:
    """Return one stored size as data."""
    if resolution not in modality.layouts:
        known = ", ".join(modality.layouts)
        raise BadInput(
            _(
                "%(title)s has no resolution %(resolution)s; it has: %(known)s.",
                title=modality.title,
                resolution=repr(resolution),
                known=known,
            )
        )
    layout = modality.layouts[resolution]
    sizes = {"rows": layout.rows, "columns": layout.columns, "bits": layout.bits}
    return {"name": layout.name, **sizes, "unit": layout.unit}


def fingerprint(text: str) -> str:
    """Return a keyed one-way hash of the text. It is the same in this installation and in no other.

    Raises StudyError in a process that has no key.
    """
    if not settings.PSEUDONYM_KEY:
        if settings.PSEUDONYM_KEY_FILE:
            raise StudyError(
                _(
                    "Images cannot be imported: PSEUDONYM_KEY_FILE names %(file)s, which this process could not read "
                    "when it started.",
                    file=settings.PSEUDONYM_KEY_FILE,
                )
            )
        raise StudyError(
            _(
                "Images cannot be imported: this process has no key for their pseudonyms. Set PSEUDONYM_KEY or "
                "PSEUDONYM_KEY_FILE for the workers that import."
            )
        )
    return hmac.new(settings.PSEUDONYM_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def patient_fingerprint(cohort: Cohort, patient_key: str) -> str:
    """Return what is stored of the source's name for a patient."""
    return fingerprint(f"patient:{cohort.name}:{patient_key}")


def image_fingerprint(prepared: PreparedImage) -> str:
    """Return what is stored of the source's pixels: the same pixels are one image."""
    return pixel_fingerprint(prepared.digest)


def pixel_fingerprint(digest: str) -> str:
    """Return what is stored of a `prepare.pixel_digest`."""
    return fingerprint(f"image:{digest}")


def recording_fingerprint(cohort: Cohort, recording: str) -> str:
    """Return what is stored of the source's name for a recording; "" without a name."""
    return fingerprint(f"recording:{cohort.name}:{recording}") if recording else ""


def ensure_patient(cohort: Cohort, patient_key: str, *, split: str) -> Patient:
    """Return the patient with the source's key, created if need be. Pseudonyms are numbered in order of creation."""
    stored_key = patient_fingerprint(cohort, patient_key)
    patient = Patient.objects.filter(cohort=cohort, fingerprint=stored_key).first()
    if patient:
        return patient
    number = Patient.objects.filter(cohort=cohort).count() + 1
    return Patient.objects.create(cohort=cohort, pseudonym=f"P{number:05d}", fingerprint=stored_key, split=split)


@dataclass(frozen=True)
class StoredImage:
    """A new image with its real stimuli, and what it was made of."""

    image: Image
    stimuli: tuple[Stimulus, ...]
    prepared: PreparedImage


@transaction.atomic
def store_image(patient: Patient, prepared: PreparedImage, *, moment: str = "") -> StoredImage | None:
    """Store the image and its real stimuli; return None if the image is stored already.

    `moment` is shared by the copies of an image and by the parts of a recording. Attributes of a stored image that were
    unknown when it was imported are added.
    """
    exam, _ = Exam.objects.get_or_create(patient=patient, number=1, defaults={"modality": prepared.source.modality})
    image, is_new = Image.objects.get_or_create(
        exam=exam,
        fingerprint=image_fingerprint(prepared),
        defaults={
            "signature": _signature(prepared),
            "recording": recording_fingerprint(patient.cohort, prepared.source.recording),
            "moment": moment,
            "attributes": dict(prepared.attributes),
            "source_bits": prepared.bits,
            "source_rows": prepared.rows,
            "source_columns": prepared.columns,
            "pixel_spacing_mm": prepared.source.pixel_spacing_mm,
        },
    )
    if not is_new:
        known = {name: value for name, value in image.attributes.items() if value}
        completed = {**prepared.attributes, **known}
        if completed != image.attributes:
            image.attributes = completed
            image.save(update_fields=["attributes"])
        return None
    stimuli = tuple(
        register_stimulus(image, resolution=resolution, media=write_media(png))
        for resolution, png in prepared.pngs.items()
    )
    return StoredImage(image, stimuli, prepared)


def _signature(prepared: PreparedImage) -> dict[str, Any]:
    """Return what a later import needs to find copies of the image."""
    if prepared.signature is None:
        return {}
    return {"hash": prepared.signature.text, "box": list(prepared.placement.box)}


@dataclass(frozen=True)
class MediaFile:
    """An image on the disk under a random name."""

    file: str  # below the media folder
    bytes: int
    sha256: str


def register_stimulus(image: Image, *, resolution: str, media: MediaFile) -> Stimulus:
    """Register one written image, real or adversarial."""
    rows, columns = image.exam.patient.cohort.size_of(resolution)
    return Stimulus.objects.create(
        image=image,
        resolution=resolution,
        rows=rows,
        columns=columns,
        file=media.file,
        bytes=media.bytes,
        sha256=media.sha256,
    )


def write_media(content: bytes) -> MediaFile:
    """Write an image to a random name below the media folder, whole or not at all. Does not use the database."""
    name = uuid4().hex
    path = Path(settings.MEDIA_ROOT) / name[:2] / f"{name}.png"
    if not path.parent.exists():
        _make_folders()
    note_file(str(path.relative_to(settings.MEDIA_ROOT)))
    replace_file(path, content)
    return MediaFile(str(path.relative_to(settings.MEDIA_ROOT)), len(content), hashlib.sha256(content).hexdigest())


def replace_file(path: Path, content: bytes) -> None:
    """Write a media file, whole or not at all, on the disk. A file of that name is replaced in one step.

    All files have the same date, because the date of writing would tell adversarial images from real ones.
    """
    draft = path.with_suffix(f".{uuid4().hex}.part")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.utime(draft, (0, 0))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # what a killed process leaves is removed by clean_files
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: after a power cut a stored row must not lack its file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_folders() -> None:
    """Create the folders of all possible names. One created for an adversarial image would be newer than others."""
    for number in range(256):
        (Path(settings.MEDIA_ROOT) / f"{number:02x}").mkdir(parents=True, exist_ok=True)
    _sync_folder(Path(settings.MEDIA_ROOT))
