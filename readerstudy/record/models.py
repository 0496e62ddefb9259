"""The log of each study: entries under a Merkle tree, signed tree heads, commitments to the answer key, verifications.

Entries are written by the database alone (`triggers`). A log is named by the code of its study; the one without a name
has what belongs to no study.
"""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.record.triggers import kept, logged, not_truncated


class Log(models.Model):
    """The size of a log, and the roots of the perfect subtrees of its tree, the largest first: 32 bytes each."""

    code = models.CharField(_("study"), max_length=64, primary_key=True)
    size = models.BigIntegerField(_("entries"), default=0)
    peaks = models.BinaryField(default=b"")

    class Meta:
        verbose_name = _("log")
        triggers = [
            pgtrigger.Protect(name="log_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="log_only_grows",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__size__lte=pgtrigger.F("old__size"))
                | pgtrigger.Q(old__code__df=pgtrigger.F("new__code")),
            ),
            not_truncated(),
        ]

    def __str__(self) -> str:
        return self.code


class Entry(models.Model):
    """One entry: the canonical text of a change to a row, and the hash of that text as a leaf of the tree.

    `sealed` is the text of which `data` has the hash: what may not be shown before the unsealing.
    """

    log = models.CharField(_("study"), max_length=64)
    index = models.BigIntegerField(_("index"))
    relation = models.CharField(_("table"), max_length=64)
    row = models.CharField(_("row"), max_length=64, db_column="row_id")
    data = models.TextField(_("data"))
    sealed = models.TextField(blank=True)
    hash = models.BinaryField()

    class Meta:
        ordering = ["log", "index"]
        verbose_name = _("entry")
        constraints = [models.UniqueConstraint(fields=["log", "index"], name="entry_index_once")]
        indexes = [models.Index(fields=["relation", "row"], name="entry_row")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.log} {self.index}"


class ErasedPart(models.TextChoices):
    """What of an entry was erased."""

    SEALED = "sealed", _("the sealed part")
    ALL = "all", _("the whole text")


class Redaction(models.Model):
    """Entries of one log whose texts were erased, because they held personal data. Their hashes stay in the tree.

    Written by `privacy_erase` and `privacy_forget_addresses` alone. `event` is the number of the event that says why.
    """

    log = models.CharField(_("study"), max_length=64)
    at = models.DateTimeField(_("erased"))
    event = models.BigIntegerField(_("event"))
    part = models.CharField(_("part"), max_length=8, choices=ErasedPart.choices)
    entries = models.JSONField(_("indices of the entries"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("erasure of entries")
        verbose_name_plural = _("erasures of entries")
        triggers = [*kept(), *logged(study="me.log")[:1]]

    def __str__(self) -> str:
        return f"{self.log} {self.at:%Y-%m-%d %H:%M}"


class TreeHead(models.Model):
    """A signed statement of the size and the root of a log. `root`, `public_key` and `signature` are hexadecimal."""

    log = models.CharField(_("study"), max_length=64)
    size = models.BigIntegerField(_("entries"))
    root = models.CharField(_("root"), max_length=64)
    at = models.DateTimeField(_("signed"))
    public_key = models.CharField(_("public key"), max_length=64)
    signature = models.CharField(_("signature"), max_length=128)

    class Meta:
        ordering = ["id"]
        verbose_name = _("tree head")
        constraints = [models.UniqueConstraint(fields=["log", "size", "public_key"], name="tree_head_once")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.log} {self.size}"


class Commitment(models.Model):
    """What was committed to when a study was drawn: a keyed hash of each line of its answer key, and their root."""

    log = models.CharField(_("study"), max_length=64)
    at = models.DateTimeField(_("made"))
    root = models.CharField(_("root"), max_length=64)
    items = models.JSONField(_("items"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("commitment to the answer key")
        triggers = [*kept(), *logged(study="me.log")[:1]]

    def __str__(self) -> str:
        return f"{self.log} {self.root[:16]}"


class Verification(models.Model):
    """One verification of a record, and what did not agree."""

    log = models.CharField(_("study"), max_length=64)
    at = models.DateTimeField(_("verified"))
    size = models.BigIntegerField(_("entries"))
    # By check: its name, how much was compared, and a sentence for each finding.
    checks = models.JSONField(_("checks"))
    passed = models.BooleanField(_("passed"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("verification")
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.log} {self.at:%Y-%m-%d %H:%M}"
