"""Whether a landing page may go online, may be closed; and what deserves a warning.

Rules in pairs: `check_can_…` raises with a sentence, `can_…` serves the button.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from optout.models import LandingPage, LandingPageVersion, Service
from optout.models.pages import PageType
from optout.neutral_words import pressing_words
from optout.page_content import PAGE_LANGUAGES, ContentError, PageContent, Texts
from optout.page_states import PageEvent, follows


class PageError(Exception):
    """Something that cannot be done with a landing page; the text is a sentence."""


class CannotPublish(PageError):
    """A page that cannot go online; `missing` lists why, a sentence each."""

    def __init__(self, page: LandingPage, missing: list[str]) -> None:
        self.missing = missing
        super().__init__(
            _("Page “%(page)s” cannot be published: %(missing)s")
            % {"page": page, "missing": " ".join(missing)}
        )


def check_can_publish(page: LandingPage) -> None:
    """Raise CannotPublish, with all that is missing, unless the page may go online."""
    missing = missing_for_publishing(page)
    if missing:
        raise CannotPublish(page, missing)


def can_publish(page: LandingPage) -> bool:
    return not missing_for_publishing(page)


def check_can_close(page: LandingPage) -> None:
    """Raise PageError unless the page is published."""
    if follows(page.state, PageEvent.CLOSE) is None:
        raise PageError(
            _(
                "Page “%(page)s” cannot be closed: it is not published. Publish it"
                " first."
            )
            % {"page": page}
        )


def can_close(page: LandingPage) -> bool:
    return follows(page.state, PageEvent.CLOSE) is not None


def version_to_publish(page: LandingPage) -> LandingPageVersion | None:
    """Give what publishing would put online: the draft, or a closed page's last one."""
    draft = page.draft()
    if draft is not None:
        return draft
    return None if can_close(page) else page.published_version


def missing_for_publishing(page: LandingPage) -> list[str]:
    """List what keeps the page from going online, a sentence each."""
    version = version_to_publish(page)
    if version is None:
        return [_("Nothing was changed since it was published.")]
    try:
        content = version.read()
    except ContentError as error:
        return [str(error)]
    return [
        *_missing_texts(content),
        *_missing_offers(page, content),
        *_in_the_way(page, content),
        *_service_faults(content),
        *_page_faults(page),
    ]


def warnings(page: LandingPage, content: PageContent) -> list[str]:
    """List what is allowed but deserves a second look, a sentence each."""
    found = []
    if page.is_way_out:
        found = [
            _(
                "%(language)s: “%(word)s” presses people on a page that they leave by."
                " Say it in neutral words."
            )
            % {"language": PAGE_LANGUAGES[code].capitalize(), "word": word}
            for code, texts in content.languages.items()
            for word in pressing_words("\n".join(_shown(texts)))
        ]
    signs_up = page.type in {PageType.SUBSCRIBE, PageType.ACQUISITION}
    if signs_up and content.is_for_anybody and not content.has_double_opt_in:
        found.append(
            _(
                "Anybody can sign up anybody’s address: switch on the confirmation by"
                " mail."
            )
        )
    return found


def _shown(texts: Texts) -> list[str]:
    return [texts.title, texts.intro, texts.button, texts.confirmation, texts.error]


def _missing_texts(content: PageContent) -> Iterator[str]:
    if content.default_language not in content.languages:
        yield _("There is no text in its default language, %(language)s.") % {
            "language": PAGE_LANGUAGES[content.default_language]
        }
    wanted = {"title": _("a title"), "button": _("a button")}
    wanted["confirmation"] = _("a text for after the button was pressed")
    for code, texts in content.languages.items():
        lacks = [name for part, name in wanted.items() if not getattr(texts, part)]
        boxes = texts.agreements[: content.agreement_count]
        if len([text for text in boxes if text]) < content.agreement_count:
            lacks.append(_("the text of an agreement"))
        if lacks:
            yield _("%(language)s lacks %(what)s.") % {
                "language": PAGE_LANGUAGES[code].capitalize(),
                "what": ", ".join(lacks),
            }


def _missing_offers(page: LandingPage, content: PageContent) -> Iterator[str]:
    needs_service = page.type in {PageType.SUBSCRIBE, PageType.UNSUBSCRIBE}
    if needs_service and not content.services:
        yield _("It has no service. Choose one.")
    if page.type == PageType.PREFERENCES and not (content.channels or content.services):
        yield _("It offers nothing to choose: no channel and no service.")


def _in_the_way(page: LandingPage, content: PageContent) -> Iterator[str]:
    """Find what stands between a person and the way out: it is one press."""
    if not page.is_way_out:
        return
    if content.fields or content.agreement_count:
        yield _("People leave by it: it must not ask for fields or agreements.")
    if page.type == PageType.DENYLIST and (content.channels or content.services):
        yield _("It stops everything: it has one button, no channels and no services.")


def _service_faults(content: PageContent) -> Iterator[str]:
    known = Service.objects.in_bulk(content.services)
    if len(known) < len(content.services):
        yield _("A service that it offers was deleted. Choose the services again.")
    for service in known.values():
        if content.is_for_anybody and not service.is_open:
            yield _(
                "“%(service)s” is private, and the page is for anybody. Open the"
                " service for sign-up, or keep the page to those who come by a link."
            ) % {"service": service}


def _page_faults(page: LandingPage) -> Iterator[str]:
    if page.has_window_fault:
        yield _("It would close before it opens. Mend its times.")
    if not page.brand.postal_address.strip():
        yield _("Its brand “%(brand)s” has no postal address.") % {"brand": page.brand}
    for sentence in page.brand.contrast_faults().values():
        yield _("Its brand “%(brand)s”: %(fault)s") % {
            "brand": page.brand,
            "fault": sentence,
        }
