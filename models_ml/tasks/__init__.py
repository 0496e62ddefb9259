"""Trainings as Celery tasks: the only part of models_ml that uses Django, Celery and the database.

Celery imports this package to find the tasks; other code refers to them by name.
"""

from models_ml.tasks.cross_validation import cross_validate_task
from models_ml.tasks.dataset import folder_of
from models_ml.tasks.detector import train_detector_task
from models_ml.tasks.training import train_classifier_task, train_gan_task, train_inpainting_task

__all__ = [
    "cross_validate_task",
    "folder_of",
    "train_classifier_task",
    "train_detector_task",
    "train_gan_task",
    "train_inpainting_task",
]
