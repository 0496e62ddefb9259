"""Studies in the Django administration: their pages, who sees what of them, their moves and their trail."""

from readerstudy.studies.admin import pages, trail

__all__ = ["pages", "trail"]
