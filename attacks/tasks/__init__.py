"""Making adversarial images and judging them, as jobs: the only part of the attacks that knows Django and Celery.

Celery imports this package and finds every task; elsewhere they are known by name only.
"""

from attacks.tasks.evaluating import evaluate_attack_task
from attacks.tasks.generating import attack_task, generate_task

__all__ = ["attack_task", "evaluate_attack_task", "generate_task"]
