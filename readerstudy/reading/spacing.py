"""The distance of pixels as readers may know it: for the scale bar and the true size."""

from django.db.models import F

from readerstudy.studies.models import Allocation, Presentation, ReadingList


def spacing_for(reading_list: ReadingList) -> float | None:
    """Return millimetres per pixel of the session's images, with four decimals; None if readers may not know it.

    Only if all images of the study have it, and those of one size the same: a number that differed between images
    could tell synthetic images from real ones.
    """
    spacings: dict[tuple[int, int], set[float | None]] = {}
    for spacing, rows, columns, *size in (
        Allocation.objects.filter(session_plan__study=reading_list.session_plan.study_id)
        .values_list(
            F("stimulus__image__pixel_spacing_mm"),
            F("stimulus__image__source_rows"),
            F("stimulus__image__source_columns"),
            F("stimulus__rows"),
            F("stimulus__columns"),
        )
        .distinct()
    ):
        # The source fills the height or the width of the stored image.
        known = spacing and round(spacing * max(rows / size[0], columns / size[1]), 4)
        spacings.setdefault((size[0], size[1]), set()).add(known or None)
    if any(len(known) > 1 or None in known for known in spacings.values()):
        return None
    own = Presentation.objects.filter(reading_list=reading_list).values_list("stimulus__rows", "stimulus__columns")
    first = own.first()
    return spacings[first].copy().pop() if first in spacings else None
