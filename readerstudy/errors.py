"""Errors of the protocol. Their messages can be shown to the person who caused them."""


class StudyError(Exception):
    """A rule of the study was broken. The message states the rule; nothing was changed."""


class NotAllowed(StudyError):
    """The user's role does not allow this."""


class NotFound(StudyError):
    """There is nothing of this name that the person may see."""


class NotItsTurn(StudyError):
    """A session or an image was requested before or after its turn."""


class BadInput(StudyError):
    """Input that cannot be understood. The message names the field."""
