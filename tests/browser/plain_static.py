"""The application with its static files as they are, not collected: the settings look for pytest."""

import pytest

from readerstudy.wsgi import application

__all__ = ["application", "pytest"]
