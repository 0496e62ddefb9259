"""How long sessions take: at the reader's own pace, or as the plan estimates."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Final

from readerstudy.accounts.models import User
from readerstudy.reading.models import Reading
from readerstudy.studies.models import SessionPlan

LEAST: Final = 10  # readings of a kind before the reader's own pace counts
_LATEST: Final = 400
_MINUTE_MS: Final = 60_000

Pace = tuple[int, str]  # the key of an enrolment and a kind of session


def own_paces(reader: User) -> dict[Pace, float]:
    """Return the median milliseconds for an image, questions included, where the reader has read enough images."""
    rows = Reading.objects.filter(presentation__reading_list__enrollment__reader=reader).order_by("-id")
    values = rows.values_list(
        "presentation__reading_list__enrollment",
        "presentation__reading_list__session_plan__kind",
        "elapsed_ms",
        "paradata__questions_ms",
    )
    times: defaultdict[Pace, list[int]] = defaultdict(list)
    for enrollment, kind, elapsed, questions in values[:_LATEST]:
        times[enrollment, kind].append(elapsed + int(questions or 0))
    return {pace: median(own) for pace, own in times.items() if len(own) >= LEAST}


def minutes_for(images: int, plan: SessionPlan, *, enrollment: int, paces: Mapping[Pace, float]) -> int:
    """Return the minutes that so many images of a session take: 0 for none, above 10 a multiple of 5."""
    each = paces.get((enrollment, plan.kind), 1000 * plan.rules.seconds_per_image)
    minutes = images * each / _MINUTE_MS
    if minutes > 10:
        return 5 * round(minutes / 5)
    return max(1, round(minutes)) if images else 0
