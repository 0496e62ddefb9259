"""What can go wrong in the lab, said in sentences fit to show."""


class LabError(ValueError):
    """A request that the lab cannot carry out as asked."""


class WrongImages(LabError):
    """The image set does not fit the task: shapes, labels, splits or size."""


class WrongCheckpoint(LabError):
    """A run folder does not hold what was asked for."""
