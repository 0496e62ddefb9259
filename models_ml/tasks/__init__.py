"""Learning as jobs: the only part of the lab that knows Django, Celery and the study's database.

Celery imports this package and finds every task; elsewhere they are known by name only.
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
