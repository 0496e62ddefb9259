"""The study of the reading benchmark: one long session, with images at full size."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

SIZE = (1728, 1408)
DIFFERENT = 12  # images drawn; the study repeats them, each time as a file of its own


def phantoms(count: int = DIFFERENT) -> list[NDArray[np.uint16]]:
    """Return phantoms as a study stores them: rows x columns of 16 bits."""
    from readerstudy.imaging.grey_levels import to_16_bit
    from readerstudy.imaging.resize import fit
    from readerstudy.modalities.mammography.phantom.render import phantom_images

    sources = phantom_images(count, seed=5, size=SIZE)
    return [fit(to_16_bit(source.load()), SIZE) for source in sources.images[:count]]


def long_study(files: Sequence[bytes], *, images: int, frame_ms: int = 0, code: str = "long"):
    """Create a study with one session of this number of images, without breaks and display check."""
    from django.conf import settings

    from readerstudy.cohort.models import Cohort, Exam, Image, Patient, Stimulus
    from readerstudy.protocol.rules import DisplayCheck, SessionRules
    from readerstudy.studies.models import Allocation, Arm, SessionPlan, Study
    from tests.make import MONDAY

    cohort = Cohort.objects.create(name=code, seed=1, created_at=MONDAY)
    patient = Patient.objects.create(cohort=cohort, pseudonym="P1", fingerprint=code, split="test")
    exam = Exam.objects.create(patient=patient)
    length = (max(map(len, files)) // 65536 + 1) * 65536
    study = Study.objects.create(
        code=code,
        title="Long",
        template="zhou2021",
        cohort=cohort,
        image_bytes=length,
        status="open",
        created_at=MONDAY,
        locked_at=MONDAY,
        opened_at=MONDAY,
    )
    arm = Arm.objects.create(study=study, name="high", resolution="high")
    rules = SessionRules(frame_ms=frame_ms, break_every=0, display_check=DisplayCheck.OFF).as_data()
    plan = SessionPlan.objects.create(
        study=study, number=1, kind="blinded", title="Long", instructions="-", total=images, rules_data=rules
    )
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    originals = [_stored(content) for content in files]
    for position in range(1, images + 1):
        image = Image.objects.create(
            exam=exam, source_bits=14, source_rows=SIZE[0], source_columns=SIZE[1], fingerprint=f"{code}-{position}"
        )
        name = f"{uuid4().hex}.png"
        os.link(originals[position % len(files)], Path(settings.MEDIA_ROOT) / name)
        stimulus = Stimulus.objects.create(
            image=image, resolution="high", rows=SIZE[0], columns=SIZE[1], file=name, bytes=length, sha256=name[:32]
        )
        Allocation.objects.create(session_plan=plan, arm=arm, position=position, stimulus=stimulus)
    return study


def _stored(content: bytes) -> Path:
    from django.conf import settings

    path = Path(settings.MEDIA_ROOT) / f"{uuid4().hex}.png"
    path.write_bytes(content)
    return path
