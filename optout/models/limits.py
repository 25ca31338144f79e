from django.db import models
from django.utils.translation import gettext_lazy as _


class LimitKind(models.TextChoices):
    NETWORK = "network", _("Requests of a network")
    MAILBOX = "mailbox", _("Requests for a mailbox")
    MAIL = "mail", _("Mail to a mailbox")
    SERVICE = "service", _("Mail of a service to a mailbox")


class Limit(models.Model):
    """How often something happened since its window began; written by limiting.

    The key is a keyed hash: no address and no network can be read from it.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=LimitKind.choices)
    key = models.UUIDField(_("key"))
    began_at = models.DateTimeField(_("began"))
    count = models.PositiveIntegerField(_("count"))

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="optout_limit_once"),
        ]
        indexes = [models.Index(fields=["began_at"], name="optout_limit_began")]

    def __str__(self) -> str:
        return f"{self.kind} {self.began_at:%Y-%m-%d %H:%M}"
