"""{{ attack.direction|said:"direction" }}: what the database calls remove, in words."""

from django import template

from readerstudy.lab.labels import VALUES

register = template.Library()


@register.filter
def said(value: str, name: str) -> str:
    """The value in words; itself where there are none for it at this name."""
    return str(VALUES.get((name, value), value))
