"""The app's name for Django."""

from django.apps import AppConfig


class ImageImportConfig(AppConfig):
    name = "readerstudy.image_import"
