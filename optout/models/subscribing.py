from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Profile


class ConfirmationMode(models.TextChoices):
    """What is sent to somebody who subscribed, or unsubscribed."""

    NONE = "none", _("Nothing")
    DEFAULT = "default", _("The standard text")
    OWN = "own", _("A text of its own")


class Service(models.Model):
    """What people subscribe to, such as a newsletter.

    Its `name` is for files and commands; `label` is for operators; what recipients
    read is in ServiceText, one a language.
    """

    name = models.SlugField(
        _("name"),
        max_length=64,
        unique=True,
        help_text=_("For files and commands: letters, digits, hyphens."),
    )
    label = models.CharField(
        _("label"), max_length=128, help_text=_("What operators call it.")
    )
    channel = models.SmallIntegerField(_("channel"), choices=Channel.choices)
    is_open = models.BooleanField(
        _("open for sign-up"),
        default=False,
        help_text=_("Anybody may subscribe on a page. A private one shows to members."),
    )
    validity_days = models.PositiveIntegerField(
        _("days a subscription is valid"),
        null=True,
        blank=True,
        help_text=_("Empty: until the person unsubscribes."),
    )
    subscribe_confirmation = models.CharField(
        _("sent after subscribing"),
        max_length=10,
        choices=ConfirmationMode.choices,
        default=ConfirmationMode.DEFAULT,
        help_text=_("By email, once, to who subscribed on a page of ours."),
    )
    unsubscribe_confirmation = models.CharField(
        _("sent after unsubscribing"),
        max_length=10,
        choices=ConfirmationMode.choices,
        default=ConfirmationMode.NONE,
        help_text=_("By email, once, to who unsubscribed by a page or one click."),
    )
    subscribe_page = models.ForeignKey(
        "optout.LandingPage",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("page to subscribe"),
        help_text=_("Empty: the built-in one."),
    )
    unsubscribe_page = models.ForeignKey(
        "optout.LandingPage",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("page to unsubscribe"),
        help_text=_(
            "Links in messages lead there. Empty, or while it is closed: the built-in"
            " one."
        ),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ["label", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="optout_service_channel"
            ),
            models.CheckConstraint(
                condition=Q(validity_days__isnull=True) | Q(validity_days__gte=1),
                name="optout_service_validity",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def expiry(self, subscribed_at: datetime) -> datetime | None:
        """Give when a subscription of that moment ends; None when it does not."""
        if self.validity_days is None:
            return None
        return subscribed_at + timedelta(days=self.validity_days)

    def text_in(self, language: str) -> "ServiceText | None":
        """Give the text in a language, else in the default one, else in any."""
        texts = {text.language: text for text in self.texts.all()}
        for each in (language, language.partition("-")[0], settings.LANGUAGE_CODE):
            if each in texts:
                return texts[each]
        return next(iter(texts.values()), None)

    def public_name_in(self, language: str) -> str:
        """Give the name that recipients read; the label while it has none."""
        text = self.text_in(language)
        return text.public_name if text else self.label


class ServiceText(models.Model):
    """What recipients read about a service, in one language."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=35)
    public_name = models.CharField(_("public name"), max_length=128)
    description = models.TextField(_("description"), max_length=500, blank=True)
    subscribed_subject = models.CharField(
        _("subject after subscribing"), max_length=200, blank=True
    )
    subscribed_body = models.TextField(
        _("text after subscribing"), max_length=5000, blank=True
    )
    unsubscribed_subject = models.CharField(
        _("subject after unsubscribing"), max_length=200, blank=True
    )
    unsubscribed_body = models.TextField(
        _("text after unsubscribing"), max_length=5000, blank=True
    )

    class Meta:
        verbose_name = _("text of a service")
        verbose_name_plural = _("texts of services")
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "language"], name="optout_servicetext_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.public_name} ({self.language})"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def current(self, now: datetime) -> "QuerySet[Subscription]":
        """Keep those that count now: neither ended nor expired."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            unsubscribed_at__isnull=True,
        )


class Subscription(models.Model):
    """A profile's subscription to a service, current or ended.

    The row stays when the person unsubscribes: no later file subscribes them again.
    Written by optout.subscriptions only, with a row of the ledger each time.
    """

    # As for opt-outs: no constraint that a file would pay for row by row.
    profile = models.ForeignKey(
        Profile,
        on_delete=models.CASCADE,
        related_name="subscriptions",
        db_constraint=False,
        db_index=False,
    )
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, related_name="subscriptions"
    )
    subscribed_at = models.DateTimeField(_("since"), default=timezone.now)
    # Excluded from this very moment on.
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    unsubscribed_at = models.DateTimeField(_("ended"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=20, choices=ConsentSource.choices)
    origin = models.CharField(_("origin"), max_length=200, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        permissions = [
            (
                "resubscribe_subscription",
                _("Can subscribe people again who unsubscribed, with evidence"),
            ),
            ("import_subscription", _("Can import subscriptions from a file")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "service"], name="optout_subscription_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} #{self.profile_id}"

    def is_current(self, now: datetime) -> bool:
        """Say whether it counts now: neither ended nor expired."""
        if self.unsubscribed_at is not None:
            return False
        return self.expires_at is None or self.expires_at > now
