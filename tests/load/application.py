"""The application as gunicorn serves it, with two views that do nothing."""

from readerstudy.wsgi import application
from tests.load import empty_views

__all__ = ["application", "empty_views"]
