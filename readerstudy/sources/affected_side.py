"""The rule that of a patient with the finding only the affected side is imported, as in the article (METHOD §1)."""

from collections.abc import Sequence
from dataclasses import replace

from readerstudy.errors import BadInput
from readerstudy.errors import Sentence as _
from readerstudy.sources.source import ImportBatch, ImportImage
from readerstudy.vocabulary import Pathology


def of_affected_sides(batch: ImportBatch, *, side: str) -> tuple[ImportBatch, int]:
    """Return the batch without the other sides of patients with the finding, and how many images that leaves out.

    `side` names the attribute that says which of two organs an image shows. A side is affected if the source gives one
    of its images the finding; if it gives the finding to both, both stay. An image of such a patient whose side is
    unknown stays only if it has the finding itself. Raises BadInput if `side` is empty: images of this kind have no
    sides.
    """
    if not side:
        raise BadInput(_("Images of this kind have no sides of which one could be affected."))
    affected: dict[str, set[str]] = {}
    for image in batch.images:
        if image.pathology is Pathology.POSITIVE:
            affected.setdefault(image.patient_key, set()).add(image.attributes.get(side, ""))
    images = tuple(image for image in batch.images if _stays(image, affected.get(image.patient_key), side))
    left_out = len(batch.images) - len(images)
    note = _note(batch.images, images, len(affected))
    return replace(batch, images=images, notes=(*batch.notes, note)), left_out


def _stays(image: ImportImage, affected: set[str] | None, side: str) -> bool:
    if affected is None or image.pathology is Pathology.POSITIVE:
        return True
    own = image.attributes.get(side, "")
    return bool(own) and own in affected


def _note(before: Sequence[ImportImage], after: Sequence[ImportImage], patients: int) -> str:
    return _(
        "Only the affected side: %(images)s images of the other side were left out; %(patients)s patients have the "
        "finding.",
        images=len(before) - len(after),
        patients=patients,
    )
