from django.db import models
from django.utils.translation import gettext_lazy as _

from delivery.models.deliveries import Delivery
from optout.models import Brand


class DeliveryContent(models.Model):
    """What a delivery says, with merge fields in Liquid."""

    delivery = models.OneToOneField(
        Delivery, on_delete=models.CASCADE, primary_key=True, related_name="content"
    )
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    html = models.TextField(_("HTML"), blank=True)
    text = models.TextField(
        _("text"),
        blank=True,
        help_text=_("Of an email: when empty it is made from the HTML."),
    )
    columns = models.TextField(
        _("columns"),
        blank=True,
        help_text=_(
            "Of a file: merge fields that get a column each, one a line, such as"
            " profile.attributes.size."
        ),
    )
    sender = models.CharField(
        _("sender"),
        max_length=320,
        blank=True,
        help_text=_("Name <address@example.com>. Empty: the usual sender."),
    )
    reply_to = models.CharField(
        _("reply to"),
        max_length=320,
        blank=True,
        help_text=_("Where answers go. Empty: to the sender."),
    )
    is_marketing = models.BooleanField(
        _("marketing"),
        default=True,
        help_text=_("Marketing carries a way out and a postal address."),
    )
    brand = models.ForeignKey(
        Brand,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("brand"),
        help_text=_("Its name and postal address stand at the foot of each email."),
    )
    has_address_in_content = models.BooleanField(
        _("the address is in the content"),
        default=False,
        help_text=_("Tick it when you wrote the postal address yourself."),
    )

    class Meta:
        verbose_name = _("content of a delivery")
        verbose_name_plural = _("contents of deliveries")
        default_permissions = ()

    def __str__(self) -> str:
        return self.subject
