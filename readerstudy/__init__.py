"""The Django project: a blinded reader study, from cohort to report.

`statistics` and `client` work without Django.
"""

from readerstudy.missing_packages import explain_missing_packages

__version__ = "0.1.0"

explain_missing_packages()
