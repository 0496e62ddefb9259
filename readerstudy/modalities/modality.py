"""What the rest of the software needs to know about a kind of image, as one frozen value.

A cohort names its modality. Everything that depends on the kind of image is asked of this value; no other package
names a modality. docs/guides/add-a-modality.md says how to add one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from readerstudy.imaging.geometry import Geometry
from readerstudy.imaging.image import Grey16, Size
from readerstudy.imaging.quality import MEASURES
from readerstudy.imaging.resize import Anchor
from readerstudy.imaging.thumbnails import Grey8, Triptych
from readerstudy.modalities.words import Words
from readerstudy.sources.source import ImportBatch
from readerstudy.sources.vocabulary import Attribute, FindingName, Group, SourceVocabulary
from readerstudy.vocabulary import Pathology

Text = Any  # a string that is translated when it is shown
Checklist = Literal["stard", "stard_ai", "claim", "reader_study"]
PostProcessingStep = Literal["keep_background", "keep_grid", "keep_range"]

PICTURE_QUALITY: Final = MEASURES  # all measures suit still pictures


class Form(StrEnum):
    """How images are shown and drawn small. Each form has its own viewer."""

    PICTURE = "picture"  # one still image
    TRACE = "trace"  # curves over time, electrodes below each other
    STACK = "stack"  # slices of one volume


@dataclass(frozen=True)
class Layout:
    """A size at which images are stored and shown.

    `unit` is stored with a cohort as a description of its values. No calculation reads it: budgets of attacks count
    16-bit levels of the stored files, whatever the unit is.
    """

    name: str
    label: Text
    rows: int
    columns: int
    bits: int = 16
    unit: str = "grey level"

    @property
    def size(self) -> Size:
        return self.rows, self.columns


@dataclass(frozen=True)
class Subgroup:
    """A division of the test images in evaluations, by an attribute or a group of the images with the name `key`."""

    name: str  # in results
    title: Text
    key: str
    # Only images with the finding have a value that matters: each is compared with all images without the finding.
    is_of_finding: bool = False

    def value(self, attributes: Mapping[str, str], groups: Mapping[str, str]) -> str:
        """Return the subgroup of an image; "" if it is unknown."""
        return {**attributes, **groups}.get(self.key, "")


@dataclass(frozen=True)
class Measured:
    """What an import measures in the pixels of one image: its side of a wider frame, and attributes by name."""

    anchor: Anchor
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Hanging:
    """How an image is displayed."""

    is_mirrored: bool = False


class ReadSource(Protocol):
    """Returns the images at a path. `table` describes them, `columns` maps its columns, its paths start at `folder`.

    Files outside `root` are refused, also if a symbolic link leads to them; None allows all that the process can read.
    """

    def __call__(
        self,
        path: Path,
        *,
        table: Path | None,
        columns: Mapping[str, str],
        folder: Path | None,
        root: Path | None = None,
    ) -> ImportBatch: ...


class DrawPhantoms(Protocol):
    """Returns procedural images of `patients` patients at a size; the same seed draws the same images."""

    def __call__(self, patients: int, *, seed: int, size: Size) -> ImportBatch: ...


@dataclass(frozen=True)
class Source:
    """A kind of source with the option of `import_cohort` that names its path."""

    metavar: str
    help: str
    read: ReadSource


class RenderImage(Protocol):
    """Returns an image in 8 bits for pages, mirrored if asked for."""

    def __call__(self, values: Grey16, *, is_mirrored: bool = False) -> Grey8: ...


class RenderTriptych(Protocol):
    """Returns a real image, its adversarial version and their difference in 8 bits. Raises WrongPixels."""

    def __call__(self, real: Grey16, adversarial: Grey16, *, is_mirrored: bool = False) -> Triptych: ...


@dataclass(frozen=True)
class SmallPictures:
    """How images are drawn small on pages for coordinators and researchers."""

    image: RenderImage
    triptych: RenderTriptych


@dataclass(frozen=True)
class Demo:
    """The demonstration of a modality, small enough for a laptop.

    `attack` is a method by gradient, or "gans"; both with `attack_settings`. `name` begins the names of the cohort, the
    runs and the study.
    """

    name: str
    patients: int
    seed: int
    split: str  # percent of train/tuning/test
    scale: float  # of the article's numbers of images
    layout: str
    preset: str
    attack: str
    attack_settings: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Modality:
    """A kind of image. `code` is DICOM's if it has one; `presets` are the networks' presets and the layout of each."""

    code: str
    title: Text
    form: Form
    layouts: Mapping[str, Layout]  # the largest first
    vocabulary: SourceVocabulary
    subgroups: tuple[Subgroup, ...]
    words: Words
    geometry: Geometry
    measure: Callable[[Grey16], Measured]
    hang: Callable[[Mapping[str, str]], Hanging]  # from `Image.attributes`
    sources: Mapping[str, Source]  # by option, without the hyphens
    draw_phantoms: DrawPhantoms
    pixel_facts: Callable[[Grey16], dict[str, float]]  # for the blinding audit, by name
    small_pictures: SmallPictures
    presets: Mapping[str, str]
    post_processing: tuple[PostProcessingStep, ...]
    quality: frozenset[str]  # measures of how much an attack changed an image
    checklists: tuple[Checklist, ...]
    demo: Demo
    side: str = ""  # the attribute that tells two organs of a patient apart, "" if there are none

    def __str__(self) -> str:
        return self.code

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        return self.vocabulary.attributes

    @property
    def groups(self) -> tuple[Group, ...]:
        return self.vocabulary.groups

    @property
    def findings(self) -> Mapping[Pathology, FindingName]:
        return self.vocabulary.findings
