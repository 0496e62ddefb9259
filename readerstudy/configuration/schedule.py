"""What workers do by the clock (in TIME_ZONE). No variable changes it."""

from typing import Any, Final

from celery.schedules import crontab

CELERY_BEAT_SCHEDULE: Final[dict[str, Any]] = {
    "send waiting mails": {"task": "send-waiting-mails", "schedule": 60.0, "options": {"queue": "mail", "expires": 60}},
    "send waiting webhooks": {
        "task": "send-waiting-webhooks",
        "schedule": 60.0,
        "options": {"queue": "mail", "expires": 60},
    },
    "end expired requests": {
        "task": "end-expired-requests",
        "schedule": 60.0,
        "options": {"queue": "mail", "expires": 60},
    },
    "remind readers": {
        "task": "remind-readers",
        "schedule": crontab(hour="8", minute="0"),
        "options": {"queue": "mail"},
    },
    "apply retention": {
        "task": "apply-retention",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"queue": "mail"},
    },
    "warn of expiring tokens": {
        "task": "warn-of-expiring-tokens",
        "schedule": crontab(hour="7", minute="30"),
        "options": {"queue": "mail"},
    },
}
