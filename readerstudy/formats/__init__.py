"""Dates and numbers as people write them, by language (Django's FORMAT_MODULE_PATH)."""
