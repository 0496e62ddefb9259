"""The Django project: a blinded reader study, from cohort to report."""

__version__ = "0.1.0"
