"""What the console shows of landing pages: one line each, or one page whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef

from optout import page_publishing, pages
from optout.models import LandingPage, LandingPageVersion, Service
from optout.page_content import PAGE_LANGUAGES, ContentError, PageContent
from optout.page_states import PageState

TONES: Final = {
    PageState.DRAFT: "quiet",
    PageState.PUBLISHED: "good",
    PageState.CLOSED: "warn",
}


@dataclass(frozen=True)
class Line:
    page: LandingPage
    tone: str
    has_changes: bool


@dataclass(frozen=True)
class Language:
    code: str
    name: str
    is_default: bool


@dataclass(frozen=True)
class Overview:
    """A page with what stands in the way of publishing it."""

    page: LandingPage
    tone: str
    content: PageContent
    languages: list[Language]
    versions: list[LandingPageVersion]
    draft: LandingPageVersion | None
    missing: list[str]
    warnings: list[str]
    services: list[Service]
    can_close: bool
    is_before_window: bool
    is_after_window: bool

    @property
    def starts_at(self) -> str:
        return self._in_own_zone(self.page.starts_at)

    @property
    def ends_at(self) -> str:
        return self._in_own_zone(self.page.ends_at)

    def _in_own_zone(self, moment: datetime | None) -> str:
        # As text: a template would show it in the zone of the console.
        return f"{moment.astimezone(self.page.zone):%Y-%m-%d %H:%M}" if moment else ""

    @property
    def has_something_new(self) -> bool:
        """Say whether publishing would put something online."""
        return self.draft is not None or not self.can_close

    @property
    def can_publish(self) -> bool:
        return not self.missing


def lines() -> list[Line]:
    """List all pages, changed last first."""
    drafts = LandingPageVersion.objects.filter(
        page=OuterRef("pk"), published_at__isnull=True
    )
    rows = LandingPage.objects.annotate(has_draft=Exists(drafts))
    return [
        Line(
            page,
            TONES[PageState(page.state)],
            has_changes=page.has_draft and page.state != PageState.DRAFT,
        )
        for page in rows.order_by("-updated_at", "-pk")
    ]


def of(page: LandingPage, now: datetime) -> Overview:
    """Look at a page from all sides; an unreadable content is shown as an empty one."""
    try:
        content = pages.editable_content(page)
    except ContentError:
        content = PageContent()
    versions = list(page.versions.all())
    return Overview(
        page,
        TONES[PageState(page.state)],
        content,
        languages(content),
        versions,
        next((each for each in versions if each.is_draft), None),
        page_publishing.missing_for_publishing(page),
        page_publishing.warnings(page, content),
        list(Service.objects.filter(pk__in=content.services)),
        page_publishing.can_close(page),
        page.is_before_window(now),
        page.is_after_window(now),
    )


def languages(content: PageContent, codes: Iterable[str] = ()) -> list[Language]:
    """List languages of a content, or those given, with their names."""
    return [
        Language(
            code,
            PAGE_LANGUAGES[code].capitalize(),
            is_default=code == content.default_language,
        )
        for code in codes or content.languages
    ]
