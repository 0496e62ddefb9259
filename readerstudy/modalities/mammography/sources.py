"""Where mammograms come from: tables with image files, folders of DICOM files, and phantoms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.modalities.mammography.attributes import ATTRIBUTES
from readerstudy.modalities.mammography.dicom import read_attributes
from readerstudy.sources import files
from readerstudy.sources.dicom import folder as dicom_folder
from readerstudy.sources.source import ImportBatch
from readerstudy.sources.vocabulary import FindingName, Group, SourceVocabulary
from readerstudy.vocabulary import Pathology

VOCABULARY: Final = SourceVocabulary(
    modality="MG",
    attributes=ATTRIBUTES,
    groups=(
        Group("lesion_kind", _("kind of lesion"), ("lesion_kind", "abnormality_type", "abnormality type"), longest=16),
        Group("density", _("breast density"), ("density", "breast_density", "breast density"), longest=8),
    ),
    findings={
        Pathology.POSITIVE: FindingName("malignant", _("Malignant"), ("malignant", "cancer")),
        Pathology.OTHER: FindingName("benign", _("Benign"), ("benign", "benign_without_callback")),
        Pathology.NORMAL: FindingName("normal", _("Normal"), ("normal",)),
    },
)


def read_table(
    table: Path, *, columns: Mapping[str, str] | None = None, folder: Path | None = None, root: Path | None = None
) -> ImportBatch:
    """Return the mammograms that a table names, see `sources.files.read_table`."""
    return files.read_table(table, VOCABULARY, columns=columns, folder=folder, root=root)


def read_folder(
    folder: Path, table: Path | None = None, *, columns: Mapping[str, str] | None = None, root: Path | None = None
) -> ImportBatch:
    """Return the mammograms of a folder of DICOM files, see `sources.dicom.folder.read_folder`."""
    return dicom_folder.read_folder(folder, VOCABULARY, read_attributes, table=table, columns=columns, root=root)
