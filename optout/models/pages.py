from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from optout.models.brands import Brand, is_https
from optout.page_content import PageContent
from optout.page_states import PageState

# Without letters and digits that look alike: addresses are also read aloud.
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
PUBLIC_ID_LENGTH: Final = 10


def new_public_id() -> str:
    return get_random_string(PUBLIC_ID_LENGTH, _ALPHABET)


class PageType(models.TextChoices):
    DENYLIST = "denylist", _("Opt-out from everything")
    PREFERENCES = "preferences", _("Preferences per channel and service")
    SUBSCRIBE = "subscribe", _("Sign-up for a service")
    UNSUBSCRIBE = "unsubscribe", _("End of a subscription")
    ACQUISITION = "acquisition", _("New people")


# Pages that people leave by: nothing may stand in their way.
WAYS_OUT: Final = frozenset({PageType.DENYLIST, PageType.UNSUBSCRIBE})


class LandingPage(models.Model):
    """A public page on which people change what they get.

    What it says and offers is in its versions. Written by optout.pages only.
    """

    name = models.CharField(
        _("name"),
        max_length=128,
        help_text=_("What operators call it. Visitors never see it."),
    )
    type = models.CharField(_("type"), max_length=20, choices=PageType.choices)
    public_id = models.CharField(max_length=20, default=new_public_id, editable=False)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=PageState.choices,
        default=PageState.DRAFT,
        editable=False,
    )
    brand = models.ForeignKey(
        Brand,
        on_delete=models.PROTECT,
        related_name="pages",
        verbose_name=_("brand"),
    )
    published_version = models.ForeignKey(
        "LandingPageVersion",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    starts_at = models.DateTimeField(
        _("open from"), null=True, blank=True, help_text=_("Empty: at once.")
    )
    ends_at = models.DateTimeField(
        _("open until"),
        null=True,
        blank=True,
        help_text=_("Empty: until it is closed."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        help_text=_("Of the two times above; such as Europe/Stockholm."),
    )
    closed_url = models.URLField(
        _("address when it is not open"),
        max_length=500,
        blank=True,
        validators=[is_https],
        help_text=_(
            "Visitors are sent there; begins with https://. Empty: they read the text"
            " for a closed page."
        ),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    created_by = models.CharField(_("created by"), max_length=150, blank=True)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    updated_by = models.CharField(_("changed by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("landing page")
        verbose_name_plural = _("landing pages")
        default_permissions = ("add", "change", "view")
        permissions = [
            ("publish_landingpage", _("Can publish and close landing pages")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["public_id"], name="optout_landingpage_public_id_once"
            ),
            models.CheckConstraint(
                condition=Q(type__in=PageType.values), name="optout_landingpage_type"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PageState.values),
                name="optout_landingpage_state",
            ),
            models.CheckConstraint(
                condition=Q(state=PageState.DRAFT, published_version__isnull=True)
                | (~Q(state=PageState.DRAFT) & Q(published_version__isnull=False)),
                name="optout_landingpage_published",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_url(self) -> str:
        """Give the address that is handed out."""
        return f"{settings.PUBLIC_BASE_URL}/page/{self.public_id}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def is_way_out(self) -> bool:
        return self.type in WAYS_OUT

    @property
    def has_window_fault(self) -> bool:
        """Say whether the page would close before it opens."""
        if self.starts_at is None or self.ends_at is None:
            return False
        return self.ends_at <= self.starts_at

    def draft(self) -> "LandingPageVersion | None":
        return self.versions.filter(published_at__isnull=True).first()

    def is_before_window(self, now: datetime) -> bool:
        return self.starts_at is not None and now < self.starts_at

    def is_after_window(self, now: datetime) -> bool:
        return self.ends_at is not None and now >= self.ends_at


class LandingPageVersion(models.Model):
    """What a page says and offers; once published it never changes.

    The ledger names versions by id, and proves what was shown by `wording_hashes`:
    the SHA-256 of each text in `wording`. Texts and names of services are as they were
    when it was published.
    """

    page = models.ForeignKey(
        LandingPage, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField(_("version"))
    content = models.JSONField(_("content"), encoder=DjangoJSONEncoder)
    # By language: {service id: [public name, description]}, the whole text, its hash.
    service_texts = models.JSONField(default=dict, editable=False)
    wording = models.JSONField(_("wording"), default=dict, editable=False)
    wording_hashes = models.JSONField(_("hashes"), default=dict, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    created_by = models.CharField(_("created by"), max_length=150, blank=True)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    updated_by = models.CharField(_("changed by"), max_length=150, blank=True)
    published_at = models.DateTimeField(_("published"), null=True)
    published_by = models.CharField(_("published by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("version of a landing page")
        verbose_name_plural = _("versions of landing pages")
        default_permissions = ()
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["page", "number"], name="optout_landingpageversion_number"
            ),
            models.UniqueConstraint(
                fields=["page"],
                condition=Q(published_at__isnull=True),
                name="optout_landingpageversion_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=False) | Q(published_by=""),
                name="optout_landingpageversion_published",
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="optout_landingpageversion_first"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.page_id}/{self.number}"

    @property
    def is_draft(self) -> bool:
        return self.published_at is None

    def read(self) -> PageContent:
        """Give the content in its own type. Raises ContentError."""
        return PageContent.parse(self.content)
