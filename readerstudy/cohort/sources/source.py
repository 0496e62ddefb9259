"""What every source of mammograms hands over: pictures that can be loaded, and problems that can be read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from readerstudy.cohort.sources.lesion_marks import LesionMark
from readerstudy.imaging.image import Pixels
from readerstudy.vocabulary import ChestWall, Laterality, Pathology


@dataclass(frozen=True)
class SourceImage:
    """One picture that can be loaded, with what is known of it."""

    name: str  # as the researcher knows the file; for messages only, never stored
    patient_key: str  # the source's name for the patient; tells patients apart, never stored
    laterality: Laterality
    view_position: str
    pathology: Pathology
    pixel_spacing_mm: float | None
    modality: str
    load: Callable[[], Pixels]  # raises UnreadableImage
    chest_wall: ChestWall = ChestWall.UNKNOWN  # as the source says; the pixels are asked first
    # Boxes {"top", "left", "bottom", "right"} as shares of height and width of the picture as the source holds it;
    # (): known to have none; None: the source does not say.
    lesions: tuple[dict[str, float], ...] | None = field(default=None, hash=False)
    # The same from a source that says it in pixels: they become shares where the picture is loaded.
    lesion_marks: tuple[LesionMark, ...] | None = None
    lesion_kind: str = ""  # "mass", "calcification"; a table's own word in lower case
    density: str = ""


@dataclass(frozen=True)
class Problem:
    """What kept one file, row or patient out of the cohort, in a sentence for the researcher."""

    name: str
    sentence: str


@dataclass(frozen=True)
class Found:
    """What a source holds: the pictures to import, and by name what cannot be."""

    images: tuple[SourceImage, ...]
    problems: tuple[Problem, ...] = ()


def without_contradictions(found: Found, *, per: Literal["patient", "image"] = "patient") -> Found:
    """Leave out every patient who is said to have two pathologies, and say which file says what.

    With per="image" each picture speaks for itself (one breast benign, the other normal) and all stay.
    """
    if per == "image":
        return found
    by_patient: dict[str, list[SourceImage]] = {}
    for image in found.images:
        by_patient.setdefault(image.patient_key, []).append(image)
    contradicted = {key: rows for key, rows in by_patient.items() if len({row.pathology for row in rows}) > 1}
    return Found(
        images=tuple(image for image in found.images if image.patient_key not in contradicted),
        problems=found.problems + tuple(_contradiction(key, rows) for key, rows in contradicted.items()),
    )


def _contradiction(patient_key: str, rows: Iterable[SourceImage]) -> Problem:
    files: dict[Pathology, list[str]] = {}
    for row in rows:
        files.setdefault(row.pathology, []).append(row.name)
    said = " and ".join(f"{pathology} ({', '.join(names)})" for pathology, names in files.items())
    return Problem(
        name=patient_key,
        sentence=f"Patient {patient_key} has more than one pathology: {said}. None of these is imported.",
    )
