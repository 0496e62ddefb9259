"""What every source of images provides: images that can be loaded, and problems that a person can read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from readerstudy.errors import Sentence as _
from readerstudy.errors import joined
from readerstudy.imaging.image import Pixels
from readerstudy.sources.lesion_marks import LesionMark
from readerstudy.sources.vocabulary import SourceVocabulary
from readerstudy.vocabulary import Pathology


@dataclass(frozen=True)
class ImportImage:
    """One image that can be loaded, with what its source says about it."""

    name: str  # of the file or row; for messages only, never stored
    patient_key: str  # the source's name for the patient; tells patients apart, never stored
    pathology: Pathology
    pixel_spacing_mm: float | None
    modality: str  # as the header states it, otherwise that of the cohort
    load: Callable[[], Pixels]  # raises UnreadableImage
    # By name, see the modality's `attributes`; one that is also measured in the pixels is used if that fails.
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    # Boxes {"top", "left", "bottom", "right"} as shares of height and width of the image in the source;
    # (): known to have none; None: not stated by the source.
    lesions: tuple[dict[str, float], ...] | None = field(default=None, hash=False)
    # The same in pixels of the source; converted to shares after the image is loaded.
    lesion_marks: tuple[LesionMark, ...] | None = None
    groups: Mapping[str, str] = field(default_factory=dict, hash=False)  # subgroups by name
    recording: str = ""  # the source's name for a recording of which this is a part; never stored


@dataclass(frozen=True)
class ImportProblem:
    """Why one file, row or patient was not imported; both texts are usually of the class `Sentence`."""

    name: str
    sentence: str

    @property
    def text(self) -> str:
        """The sentence, after the name unless it names it."""
        return self.sentence if self.name in self.sentence else f"{self.name}: {self.sentence}"


@dataclass(frozen=True)
class ImportBatch:
    """The images of a source, and the problems of those that cannot be imported; `modality` is a code.

    `notes` are sentences about the source as a whole that the person should know. `is_drawn`: a computer drew them,
    so no patient was ever imaged.
    """

    modality: str
    images: tuple[ImportImage, ...]
    problems: tuple[ImportProblem, ...] = ()
    notes: tuple[str, ...] = ()
    is_drawn: bool = False


def patient_pathologies(images: Sequence[ImportImage]) -> dict[str, Pathology]:
    """Return the pathology of every patient by key: the worst of the patient's images."""
    pathologies: dict[str, list[Pathology]] = {}
    for image in images:
        pathologies.setdefault(image.patient_key, []).append(image.pathology)
    return {key: Pathology.worst(of_patient) for key, of_patient in pathologies.items()}


def without_contradictions(batch: ImportBatch, vocabulary: SourceVocabulary) -> ImportBatch:
    """Return the batch without patients who have two pathologies; a problem names the files of each."""
    by_patient: dict[str, list[ImportImage]] = {}
    for image in batch.images:
        by_patient.setdefault(image.patient_key, []).append(image)
    contradicted = {key: images for key, images in by_patient.items() if len({i.pathology for i in images}) > 1}
    contradictions = (_contradiction(key, images, vocabulary) for key, images in contradicted.items())
    return replace(
        batch,
        images=tuple(image for image in batch.images if image.patient_key not in contradicted),
        problems=batch.problems + tuple(contradictions),
    )


def _contradiction(patient_key: str, images: Sequence[ImportImage], vocabulary: SourceVocabulary) -> ImportProblem:
    names: dict[Pathology, list[str]] = {}
    for image in images:
        names.setdefault(image.pathology, []).append(image.name)
    pathologies = joined([f"{vocabulary.word(found)} ({', '.join(files)})" for found, files in names.items()])
    text = _(
        "Patient %(patient)s has more than one pathology: %(pathologies)s. None of these images is imported.",
        patient=patient_key,
        pathologies=pathologies,
    )
    return ImportProblem(patient_key, text)
