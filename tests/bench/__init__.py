"""Benchmarks."""

from readerstudy.configuration import database_roles

database_roles.process = database_roles.OWNER  # each benchmark makes its own database
