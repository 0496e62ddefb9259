"""Celery tasks that generate and evaluate adversarial images. The rest of `attacks` uses neither Django nor Celery.

Celery imports this package; all other code refers to the tasks by name.
"""

from attacks.tasks.evaluating import evaluate_attack_task
from attacks.tasks.generating import attack_task, generate_task

__all__ = ["attack_task", "evaluate_attack_task", "generate_task"]
