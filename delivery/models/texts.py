from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from delivery.models.inbound import Inbound


class Decision(models.TextChoices):
    """What somebody made of what came in."""

    ADDRESS = "address", _("Number stopped")
    CHANNEL = "channel", _("Person stopped on this channel")
    PERSON = "person", _("Person stopped everywhere")
    NOTHING = "nothing", _("Nothing to do")


class TriageItem(models.Model):
    """Something that came in and that a person has to read, with a clock."""

    inbound = models.OneToOneField(
        Inbound, on_delete=models.CASCADE, related_name="triage_item"
    )
    # It smells of a request to stop; else it is merely not understood.
    is_suspected_stop = models.BooleanField(_("may be a request to stop"))
    added_at = models.DateTimeField(_("added"))
    due_at = models.DateTimeField(_("due"))
    # When it is taken for a stop if nobody has decided; never, when null.
    acts_at = models.DateTimeField(_("acts by itself"), null=True)
    closed_at = models.DateTimeField(_("decided"), null=True)
    closed_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decision = models.CharField(
        _("decision"), max_length=10, choices=Decision.choices, blank=True
    )

    class Meta:
        verbose_name = _("message to decide about")
        verbose_name_plural = _("messages to decide about")
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by="", decision="")
                | (
                    Q(closed_at__isnull=False, decision__in=Decision.values)
                    & ~Q(closed_by="")
                ),
                name="delivery_triageitem_closed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(closed_at__isnull=True),
                name="delivery_triage_open",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class AnswerKind(models.TextChoices):
    """What a text that answers another one says."""

    STOP = "stop", _("Confirms STOP")
    START = "start", _("Confirms START")
    HELP = "help", _("Help")


class AnswerState(models.TextChoices):
    """Where an answer stands; only what waits is ever sent."""

    WAITING = "waiting", _("To send")
    SENDING = "sending", _("On its way")
    SENT = "sent", _("Sent")
    # The gateway may have taken it; it is never sent again.
    UNKNOWN = "unknown", _("Unknown")
    FAILED = "failed", _("Refused")
    # Too late, or a newer answer takes its place.
    DROPPED = "dropped", _("Not sent")


class TextAnswer(models.Model):
    """One text that answers a text. Sent once at most, and within minutes or never."""

    inbound = models.OneToOneField(
        Inbound, on_delete=models.CASCADE, related_name="answer"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=AnswerKind.choices)
    digest = models.UUIDField(_("digest"))
    # E.164; empty once its person was erased.
    number = models.CharField(_("number"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=10)
    made_at = models.DateTimeField(_("made"))
    due_at = models.DateTimeField(_("due"))
    expires_at = models.DateTimeField(_("expires"))
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=AnswerState.choices,
        default=AnswerState.WAITING,
    )
    # When somebody took it to the gateway.
    claimed_at = models.DateTimeField(_("begun"), null=True)

    class Meta:
        verbose_name = _("answer by text")
        verbose_name_plural = _("answers by text")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=AnswerState.values),
                name="delivery_textanswer_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["waiting", "sending"]),
                name="delivery_answer_waiting",
            ),
            models.Index(
                fields=["digest", "claimed_at"], name="delivery_answer_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"
