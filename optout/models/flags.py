from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile

OPT_OUT_SCOPES = [(ANY_CHANNEL, _("Every channel")), *Channel.choices]


class OptOut(models.Model):
    """A profile is opted out of a channel, or of all; the row is the flag.

    Flags are independent: opting in to a channel never lifts the flag for all.
    Written by optout.preferences and by the import only, with a ledger row each.
    """

    # As for addresses: no constraint that an import would pay for row by row.
    profile = models.ForeignKey(
        Profile,
        on_delete=models.CASCADE,
        related_name="opt_outs",
        db_constraint=False,
        db_index=False,
    )
    channel = models.SmallIntegerField(_("channel"), choices=OPT_OUT_SCOPES)
    opted_out_at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        permissions = [
            ("lift_optout", _("Can lift an opt-out, with reason and evidence")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "channel"], name="optout_optout_once"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=[ANY_CHANNEL, *Channel.values]),
                name="optout_optout_channel",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} #{self.profile_id}"
