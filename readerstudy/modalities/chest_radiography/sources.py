"""Where chest radiographs come from: tables with image files, folders of DICOM files, and phantoms."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _
from pydicom import Dataset

from readerstudy.imaging.image import Pixels, Size
from readerstudy.modalities.chest_radiography.phantom import FIELD_MM, PhantomView, lesion_box, render, sample_patients
from readerstudy.sources import files
from readerstudy.sources.dicom import folder as dicom_folder
from readerstudy.sources.dicom.header import HeaderAttributes
from readerstudy.sources.source import ImportBatch, ImportImage
from readerstudy.sources.vocabulary import FindingName, SourceVocabulary
from readerstudy.vocabulary import Pathology

# The header's own word is stored with each exam: DX, or CR for images from storage plates.
VOCABULARY: Final = SourceVocabulary(
    modality="DX",
    attributes=(),
    groups=(),
    findings={
        Pathology.POSITIVE: FindingName(
            "nodule", _("Nodule"), ("nodule", "nodules", "lung nodule", "pulmonary nodule", "positive")
        ),
        Pathology.OTHER: FindingName("other", _("Other finding"), ("other", "other finding", "abnormal")),
        Pathology.NORMAL: FindingName("normal", _("Normal"), ("normal", "no finding", "negative")),
    },
)


def read_table(
    path: Path, *, table: Path | None, columns: Mapping[str, str], folder: Path | None, root: Path | None = None
) -> ImportBatch:
    """Return the radiographs that a table names, see `sources.files.read_table`."""
    return files.read_table(path, VOCABULARY, columns=columns, folder=folder, root=root)


def read_folder(
    path: Path, *, table: Path | None, columns: Mapping[str, str], folder: Path | None, root: Path | None = None
) -> ImportBatch:
    """Return the radiographs of a folder of DICOM files, see `sources.dicom.folder.read_folder`."""
    return dicom_folder.read_folder(path, VOCABULARY, _read_no_attributes, table=table, columns=columns, root=root)


def draw_phantoms(patients: int, *, seed: int, size: Size) -> ImportBatch:
    """Return phantoms as a batch to import, one image of each patient, rendered when it is loaded."""
    views = sample_patients(patients, seed=seed)
    return ImportBatch(VOCABULARY.modality, tuple(_import_image(view, size) for view in views), is_drawn=True)


def _read_no_attributes(dataset: Dataset) -> HeaderAttributes:
    return HeaderAttributes()


def _import_image(view: PhantomView, size: Size) -> ImportImage:
    return ImportImage(
        name=f"phantom {view.patient}",
        patient_key=f"phantom-{view.patient}",
        pathology=Pathology(view.finding),
        pixel_spacing_mm=FIELD_MM / size[0],
        modality=VOCABULARY.modality,
        load=partial(_load, view, size),
        lesions=_known_lesions(view, size),
    )


def _known_lesions(view: PhantomView, size: Size) -> tuple[dict[str, float], ...]:
    """Return the lesion's box in shares of height and width, or (): a phantom is known to have no other lesion."""
    box = lesion_box(view, size)
    if box is None:
        return ()
    top, left, bottom, right = box
    return ({"top": top / size[0], "left": left / size[1], "bottom": bottom / size[0], "right": right / size[1]},)


def _load(view: PhantomView, size: Size) -> Pixels:
    return Pixels(render(view, size).values, bits=16)
