"""Checking the images of a cohort, and importing them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from readerstudy.cohort.checking import CheckedImage
from readerstudy.cohort.importing import ImportResult
from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.errors import Sentence as _
from readerstudy.image_import.material import Material
from readerstudy.image_import.models import ImageImport
from readerstudy.image_import.options import CohortOptions
from readerstudy.image_import.report import CheckedRow, CheckReport, read_stored, write_preview
from readerstudy.modalities import get_modality
from readerstudy.modalities.modality import Modality
from readerstudy.serialise import from_dict
from readerstudy.sources.source import ImportBatch
from readerstudy.truth.actions import check_cohort_import, import_cohort

Progress = Callable[[int, int], None]


def check_cohort(image_import: ImageImport, material: Material, *, scratch: Path, progress: Progress) -> CheckReport:
    """Return what the import of these images would do; write a preview of each."""
    options = from_dict(CohortOptions, image_import.options)
    modality = get_modality(options.modality)
    rows: list[CheckedRow] = []
    numbers = count(1)

    def preview(checked: CheckedImage) -> None:
        row = _row(next(numbers), checked, modality)
        rows.append(row)
        values = read_stored(list(checked.prepared.pngs.values())[-1], scratch)
        mirrored = modality.hang(checked.prepared.attributes).is_mirrored
        drawn = modality.small_pictures.image(values, is_mirrored=mirrored)
        write_preview(image_import.folder, row.number, "image", drawn)

    result = check_cohort_import(
        image_import.cohort,
        _batch(material, options, modality),
        **_chosen(options, modality),
        preview=preview,
        scratch=scratch,
        progress=progress,
    )
    return _report(result, rows)


def import_into_cohort(image_import: ImageImport, material: Material, *, progress: Progress) -> CheckReport:
    """Import the images, and return what that has done."""
    options = from_dict(CohortOptions, image_import.options)
    modality = get_modality(options.modality)
    batch = _batch(material, options, modality)
    if not Cohort.objects.filter(name=image_import.cohort).exists():
        image_import.made_cohort = True
        image_import.save(update_fields=["made_cohort"])
    chosen = _chosen(options, modality)
    result = import_cohort(image_import.cohort, batch, **chosen, at=now(), actor=image_import.by, progress=progress)
    return _report(result, ())


def _chosen(options: CohortOptions, modality: Modality) -> dict[str, Any]:
    """Return the arguments that the check and the import share."""
    return {
        "seed": options.seed,
        "fractions": options.fractions,
        "resolutions": [name for name in modality.layouts if not options.resolutions or name in options.resolutions],
        "pathology_per": options.pathology_per,
        "affected_side_only": options.affected_side_only,
    }


def _batch(material: Material, options: CohortOptions, modality: Modality) -> ImportBatch:
    """Return the images that the table describes: DICOM files if there are any, otherwise files that it names."""
    name = "dicom" if material.has_dicom else "table"
    if name not in modality.sources:
        raise BadInput(_("%(title)s: images of this kind cannot be imported on this page.", title=modality.title))
    path = material.folder if name == "dicom" else material.table
    batch = modality.sources[name].read(
        path, table=material.table, columns=options.columns, folder=None, root=material.root
    )
    return replace(batch, is_drawn=options.is_drawn)


def _row(number: int, checked: CheckedImage, modality: Modality) -> CheckedRow:
    prepared = checked.prepared
    stated = (prepared.attributes.get(attribute.name, "") for attribute in modality.attributes if attribute.is_exported)
    return CheckedRow(
        number=number,
        name=prepared.source.name,
        patient=prepared.source.patient_key,
        split=checked.split,
        pathology=prepared.source.pathology.value,
        is_new=checked.is_new,
        size=f"{prepared.rows} × {prepared.columns}",
        bits=prepared.bits,
        attributes=" ".join(value for value in stated if value),
    )


def _report(result: ImportResult, rows: Sequence[CheckedRow]) -> CheckReport:
    return CheckReport(
        rows=tuple(rows),
        problems=result.problems,
        copies=result.near_copies,
        new=result.images_new,
        known=result.images_known,
        patients=result.patients,
        notes=result.notes,
    )
