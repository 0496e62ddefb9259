"""Requests with an idempotency key, and how they were answered."""

from django.conf import settings
from django.db import models


class KeyedRequest(models.Model):
    """One request that its sender may repeat. It is kept for a day.

    The key is stored as a hash, and the answer is encrypted with the key: it can hold a sign-in link, which is stored
    nowhere else.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    key_hash = models.CharField(max_length=64)
    request_sha256 = models.CharField(max_length=64)
    begun_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    # None until the request is answered.
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key_hash"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"request {self.pk}"
