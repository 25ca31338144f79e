from django.db import models
from django.utils.translation import gettext_lazy as _

from delivery.models.deliveries import Delivery


class Extraction(models.Model):
    """The file of a delivery whose messages somebody else brings to the people.

    Made once: produced when every row is written, closed when it is handed over for
    the first time. From then on it never changes.
    """

    delivery = models.OneToOneField(
        Delivery,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="extraction",
    )
    # As of the beginning, so that a file has one header whatever is installed later.
    columns = models.JSONField(default=list)
    row_count = models.PositiveBigIntegerField(_("rows"), default=0)
    produced_at = models.DateTimeField(_("produced"), null=True)
    closed_at = models.DateTimeField(_("handed over"), null=True)
    # Of the bytes, once it is closed.
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    # When the rows went: it was cancelled or expired, or it has served its time.
    dropped_at = models.DateTimeField(_("removed"), null=True)

    class Meta:
        verbose_name = _("extraction")
        verbose_name_plural = _("extractions")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.delivery_id}"


class ExtractionRow(models.Model):
    """One person's line in the file of a delivery: at most one, by the key.

    Rows come by the million, so the database checks no foreign keys here.
    """

    pk = models.CompositePrimaryKey("extraction_id", "profile_id")
    extraction = models.ForeignKey(
        Extraction,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="rows",
    )
    profile_id = models.BigIntegerField()
    line = models.TextField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.extraction_id}/{self.profile_id}"


class ExtractionDownload(models.Model):
    """One time that a file was handed over, and to whom. Only ever appended."""

    extraction = models.ForeignKey(
        Extraction, on_delete=models.CASCADE, related_name="downloads"
    )
    downloaded_at = models.DateTimeField(_("time"))
    downloaded_by = models.CharField(_("by"), max_length=150)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.extraction_id} {self.downloaded_at:%Y-%m-%d %H:%M}"
