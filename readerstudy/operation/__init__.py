"""Watching the application: health, metrics, a line in the log for each request, and a page of the same figures.

Nothing here names a study, an image or a person, and no figure may tell real from adversarial images.
"""
