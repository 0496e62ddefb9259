"""Errors of training and attacks, whose messages are shown to users."""


class LabError(ValueError):
    """A request that cannot be carried out."""


class WrongImages(LabError):
    """The image set does not fit the task: shapes, labels, splits or size."""


class WrongCheckpoint(LabError):
    """A run folder does not hold the requested network."""
