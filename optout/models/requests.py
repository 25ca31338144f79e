from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.channels import Channel


class StopRequest(models.Model):
    """Somebody asked, without a link, that a number gets no more messages.

    Nobody has shown that the number is theirs, so an operator decides. It holds the
    digest of a number that profiles carry, not what was typed.
    """

    channel = models.SmallIntegerField(_("channel"), choices=Channel.choices)
    digest = models.UUIDField(_("digest"))
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("request to stop")
        verbose_name_plural = _("requests to stop")
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "digest"],
                condition=Q(closed_at__isnull=True),
                name="optout_stoprequest_one_open",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by="")
                | (Q(closed_at__isnull=False) & ~Q(closed_by="")),
                name="optout_stoprequest_closed_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.asked_at:%Y-%m-%d %H:%M}"
