"""{{ attack.direction|label:"direction" }}: the label of a stored value."""

from django import template

from readerstudy.lab.labels import VALUES

register = template.Library()


@register.filter
def label(value: str, name: str) -> str:
    """Return the label of a value of that name, or the value if it has none."""
    return str(VALUES.get((name, value), value))
