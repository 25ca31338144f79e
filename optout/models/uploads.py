from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UploadKind(models.TextChoices):
    PROFILES = "profiles", _("Profiles")
    QUARANTINE = "quarantine", _("Quarantined addresses")


class UploadStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class Upload(models.Model):
    """A file that an operator gave to the worker, its progress and its outcome."""

    kind = models.CharField(_("kind"), max_length=20, choices=UploadKind.choices)
    # The file itself is deleted once it was read: it is full of addresses.
    file = models.FileField(_("file"), upload_to="%Y/%m", blank=True)
    file_name = models.CharField(_("file name"), max_length=255)
    is_dry_run = models.BooleanField(
        _("dry run"),
        default=False,
        help_text=_("Only count what would happen; nothing is written."),
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=UploadStatus.choices,
        default=UploadStatus.WAITING,
    )
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    bytes_read = models.PositiveBigIntegerField(_("bytes read"), default=0)
    bytes_total = models.PositiveBigIntegerField(_("bytes"), default=0)
    summary = models.JSONField(_("summary"), default=dict)
    # The report of failed rows: CSV of line, column, reason, cure; no addresses.
    report = models.FileField(_("report"), upload_to="%Y/%m", blank=True)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name=_("by")
    )
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    stop_requested_at = models.DateTimeField(_("stop asked for"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")

    def __str__(self) -> str:
        return self.file_name
