"""Errors about the protocol: sentences that may be shown to the person who caused them."""


class StudyError(Exception):
    """A rule of the study stands in the way. The message says what and where, and nothing was changed."""


class NotAllowed(StudyError):
    """The person is signed in, but this is not theirs to do."""


class NotItsTurn(StudyError):
    """A session or an image was asked for before, or after, its turn."""


class BadInput(StudyError):
    """What was sent cannot be understood; the sentence names the field."""
