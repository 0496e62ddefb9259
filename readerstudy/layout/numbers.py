"""Numbers as text in the active language."""

from django.utils.formats import get_format


def localise(number: str) -> str:
    """Return a formatted number with a true minus sign and the decimal sign of the active language."""
    return number.replace("-", "−").replace(".", str(get_format("DECIMAL_SEPARATOR")))
