"""Landing pages, from the first draft to closing.

A page has versions. At most one of them is a draft: the only one that can change.
Publishing freezes it, with its wording, and points the page to it; the version before
stays for the ledger. Until that has wholly succeeded, the old version is online.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from optout import page_defaults, page_publishing, page_wording
from optout.models import Brand, LandingPage, LandingPageVersion
from optout.models.pages import new_public_id
from optout.page_content import DEFAULT_LANGUAGE, PageContent
from optout.page_publishing import PageError
from optout.page_states import PageEvent, PageState, follows


class Openness(Enum):
    """What a visitor finds at the address of a page."""

    OPEN = "open"
    BEFORE = "before"
    AFTER = "after"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class LivePage:
    """What is at an address; page and version are None only where it is unknown.

    A page that is not open has its version too: that holds the text which says so.
    """

    openness: Openness
    page: LandingPage | None = None
    version: LandingPageVersion | None = None

    @property
    def is_open(self) -> bool:
        return self.openness is Openness.OPEN


@dataclass(frozen=True)
class Settings:
    """What of a page applies at once, without a new version."""

    name: str
    brand: Brand
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    time_zone: str = "UTC"
    closed_url: str = ""


@transaction.atomic
def create(
    name: str,
    page_type: str,
    *,
    by: str,
    now: datetime,
    brand: Brand | None = None,
    language: str = DEFAULT_LANGUAGE,
) -> LandingPage:
    """Make a page with a first draft that says the usual."""
    page = LandingPage.objects.create(
        name=name,
        type=page_type,
        brand=brand or Brand.objects.default(),
        created_at=now,
        created_by=by,
        updated_at=now,
        updated_by=by,
    )
    _add_draft(page, page_defaults.content(page_type, language), by=by, now=now)
    return page


@transaction.atomic
def change_settings(
    page: LandingPage, settings: Settings, *, by: str, now: datetime
) -> None:
    """Change what applies at once. Raises PageError where a published page breaks."""
    page = _locked(page)
    names = [each.name for each in fields(settings)]
    for name in names:
        setattr(page, name, getattr(settings, name))
    if page.has_window_fault:
        raise PageError(
            _("Page “%(page)s” would close before it opens. Mend its times.")
            % {"page": page}
        )
    if page.state == PageState.PUBLISHED and not page.brand.postal_address.strip():
        raise PageError(
            _(
                "Page “%(page)s” is published, and brand “%(brand)s” has no postal"
                " address. Give it one, or choose another brand."
            )
            % {"page": page, "brand": page.brand}
        )
    page.updated_at, page.updated_by = now, by
    page.save(update_fields=[*names, "updated_at", "updated_by"])


def edit_draft(
    page: LandingPage, content: PageContent, *, by: str, now: datetime
) -> LandingPageVersion:
    """Keep a whole content as the draft of a page. Raises ContentError."""
    return change_draft(page, lambda _before: content, by=by, now=now)


@transaction.atomic
def change_draft(
    page: LandingPage,
    change: Callable[[PageContent], PageContent],
    *,
    by: str,
    now: datetime,
) -> LandingPageVersion:
    """Change the draft of a page, or make one; what is online stays as it is.

    The change is made to what is there now, not to what somebody saw before: two
    operators may edit two languages at once. Raises ContentError.
    """
    page = _locked(page)
    content = change(editable_content(page))
    content.check()
    draft = page.draft()
    if draft is None:
        return _add_draft(page, content, by=by, now=now)
    draft.content = content.serialise()
    draft.updated_at, draft.updated_by = now, by
    draft.save(update_fields=["content", "updated_at", "updated_by"])
    return draft


@transaction.atomic
def discard_draft(page: LandingPage) -> None:
    """Throw the draft of a published or closed page away. Raises PageError."""
    page = _locked(page)
    if page.published_version_id is None:
        raise PageError(
            _("Page “%(page)s” has no other version than its draft.") % {"page": page}
        )
    page.versions.filter(published_at__isnull=True).delete()


@transaction.atomic
def publish(page: LandingPage, *, by: str, now: datetime) -> LandingPageVersion:
    """Put the draft online, or a closed page again. Raises CannotPublish.

    1. Hold the page, so that nobody changes or publishes it meanwhile.
    2. Check everything; what is online stays online when something is missing.
    3. Freeze the draft with its wording, then point the page to it.
    """
    page = _locked(page)
    page_publishing.check_can_publish(page)
    version = page_publishing.version_to_publish(page)
    state = follows(page.state, PageEvent.PUBLISH)
    if version is None or state is None:
        raise PageError(_("Page “%(page)s” has nothing to publish.") % {"page": page})
    if version.is_draft:
        _freeze(version, by=by, now=now)
    page.state, page.published_version = state, version
    _save_state(page, by=by, now=now)
    return version


@transaction.atomic
def close(page: LandingPage, *, by: str, now: datetime) -> None:
    """Take a page off; its address says that it is closed. Raises PageError."""
    page = _locked(page)
    page_publishing.check_can_close(page)
    page.state = PageState.CLOSED
    _save_state(page, by=by, now=now)


@transaction.atomic
def duplicate(page: LandingPage, *, by: str, now: datetime) -> LandingPage:
    """Make a draft with an address of its own from the newest content of a page."""
    newest = page.versions.order_by("-number")[0]
    copy = LandingPage.objects.create(
        name=_("Copy of %(name)s") % {"name": page.name[:100]},
        type=page.type,
        public_id=new_public_id(),
        brand=page.brand,
        time_zone=page.time_zone,
        closed_url=page.closed_url,
        created_at=now,
        created_by=by,
        updated_at=now,
        updated_by=by,
    )
    _add_draft(copy, newest.read(), by=by, now=now)
    return copy


def live_version(public_id: str, now: datetime) -> LivePage:
    """Find what a visitor of an address gets at this moment."""
    page = (
        LandingPage.objects.select_related("brand", "published_version")
        .defer("brand__logo")
        .filter(public_id=public_id, published_version__isnull=False)
        .first()
    )
    if page is None:
        return LivePage(Openness.UNKNOWN)
    return LivePage(_openness(page, now), page, page.published_version)


def editable_content(page: LandingPage) -> PageContent:
    """Give what an operator goes on editing: the draft, else what is published."""
    version = page.draft() or page.published_version
    return version.read() if version else PageContent()


def _openness(page: LandingPage, now: datetime) -> Openness:
    if page.state == PageState.CLOSED:
        return Openness.CLOSED
    if page.is_before_window(now):
        return Openness.BEFORE
    return Openness.AFTER if page.is_after_window(now) else Openness.OPEN


def _locked(page: LandingPage) -> LandingPage:
    rows = LandingPage.objects.select_for_update(of=("self",))
    return rows.select_related("brand").get(pk=page.pk)


def _add_draft(
    page: LandingPage, content: PageContent, *, by: str, now: datetime
) -> LandingPageVersion:
    last = page.versions.aggregate(last=Max("number"))["last"] or 0
    return LandingPageVersion.objects.create(
        page=page,
        number=last + 1,
        content=content.serialise(),
        created_at=now,
        created_by=by,
        updated_at=now,
        updated_by=by,
    )


def _freeze(version: LandingPageVersion, *, by: str, now: datetime) -> None:
    wording = page_wording.of(version.read())
    frozen: dict[str, Any] = {
        "service_texts": wording.service_texts,
        "wording": wording.texts,
        "wording_hashes": wording.hashes,
        "published_at": now,
        "published_by": by,
    }
    for name, value in frozen.items():
        setattr(version, name, value)
    version.save(update_fields=list(frozen))


def _save_state(page: LandingPage, *, by: str, now: datetime) -> None:
    page.updated_at, page.updated_by = now, by
    page.save(update_fields=["state", "published_version", "updated_at", "updated_by"])
