"""What an adversarial picture keeps of its parent, from the settings of a job."""

from collections.abc import Mapping
from typing import Any

from attacks.constraints.post_processing import Finish
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.grey_levels import keep_grid, levels_of


def finish_of(settings: Mapping[str, Any]) -> Finish:
    return Finish(
        keep_background=breast_weight if settings.get("keep_background", True) else None,
        keep_grid=keep_grid if settings.get("keep_grid", True) else None,
        keep_range=settings.get("keep_range", True),
        levels=levels_of,
    )
