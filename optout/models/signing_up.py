from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SignUp(models.Model):
    """Somebody typed an address on a page; nobody is subscribed by that.

    Not a profile: it becomes one, or changes one, when the owner of the mailbox
    confirms. Deleted when that did not happen in time, and blanked when it did.
    """

    address = models.CharField(_("address"), max_length=320, blank=True)
    digest = models.UUIDField(_("address digest"))
    service_ids = models.JSONField(_("services"), default=list)
    # Profile fields that a page asked for; only for a profile that is made by it.
    fields = models.JSONField(_("fields"), default=dict)
    # What was sent from a landing page: see optout.planned_changes.Submission.
    submission = models.JSONField(default=dict)
    language = models.CharField(_("language"), max_length=35, blank=True)
    origin = models.CharField(_("origin"), max_length=200, blank=True)
    landing_page_version_id = models.BigIntegerField(_("page version"), null=True)
    wording_hash = models.CharField(_("wording"), max_length=64, blank=True)
    requested_at = models.DateTimeField(_("asked for"), default=timezone.now)
    mailed_at = models.DateTimeField(_("mailed"), null=True)
    message_id = models.CharField(_("mail"), max_length=200, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)

    class Meta:
        verbose_name = _("sign-up")
        verbose_name_plural = _("sign-ups")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["requested_at"], name="optout_signup_requested"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SignUpMailbox(models.Model):
    """When a mailbox was last asked to confirm, and whether it said: not me.

    The key folds what one person can make many of: case and plus-tags.
    """

    mailbox = models.UUIDField(_("mailbox"), primary_key=True)
    asked_at = models.DateTimeField(_("asked"))
    blocked_at = models.DateTimeField(_("not me"), null=True)

    class Meta:
        verbose_name = _("mailbox of sign-ups")
        verbose_name_plural = _("mailboxes of sign-ups")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.mailbox)
