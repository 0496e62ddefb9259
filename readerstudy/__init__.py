"""The Django project: a blinded reader study, from cohort to report."""
