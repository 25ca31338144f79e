"""What a new page says and offers before an operator changes it, in every language."""

from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from optout.models.pages import PageType
from optout.page_content import Access, After, PageContent, Texts
from profiles.channels import Channel

_ERROR: Final = _(
    "Something went wrong, and nothing was changed. Press the button again."
)
_CLOSED: Final = _("This page is not open.")
# Title, introduction, button, what is said after it was pressed.
_TEXTS: Final = {
    PageType.DENYLIST: (
        _("Stop all messages"),
        _(
            "You will get no more messages from us, by any channel. It takes effect at"
            " once."
        ),
        _("Stop all messages"),
        _(
            "You get no more messages from us. One that is on its way already may still"
            " arrive."
        ),
    ),
    PageType.PREFERENCES: (
        _("What you get from us"),
        _("Tick what you want. What is not ticked stops."),
        _("Save my choice"),
        _("Your choice is saved."),
    ),
    PageType.SUBSCRIBE: (
        pgettext_lazy("on a landing page", "Subscribe"),
        _("You can unsubscribe at any time, by one press."),
        pgettext_lazy("on a landing page", "Subscribe"),
        _("Thank you. Your choice is received."),
    ),
    PageType.UNSUBSCRIBE: (
        pgettext_lazy("on a landing page", "Unsubscribe"),
        _("Your subscription ends at once."),
        pgettext_lazy("on a landing page", "Unsubscribe"),
        _("Your subscription has ended."),
    ),
    PageType.ACQUISITION: (
        _("Hear from us"),
        _("Tell us how we may reach you."),
        _("Send"),
        _("Thank you. Your details are received."),
    ),
}
_OF_SERVICES: Final = {PageType.SUBSCRIBE, PageType.UNSUBSCRIBE}
_FOR_ANYBODY: Final = {PageType.SUBSCRIBE, PageType.ACQUISITION}


def texts(page_type: str, language: str) -> Texts:
    """Give the first texts of a page in a language; empty where we speak it not."""
    if language not in dict(settings.LANGUAGES):
        return Texts()
    with translation.override(language):
        title, intro, button, confirmation = map(str, _TEXTS[PageType(page_type)])
        return Texts(title, intro, button, confirmation, str(_ERROR), str(_CLOSED))


def content(page_type: str, language: str) -> PageContent:
    """Give what a new page of a type holds, in one language."""
    channels = (Channel.EMAIL, Channel.SMS)
    return PageContent(
        default_language=language,
        languages={language: texts(page_type, language)},
        channels=channels if page_type == PageType.PREFERENCES else (),
        access=Access.ANYBODY if page_type in _FOR_ANYBODY else Access.IDENTIFIED,
        after=After.SERVICE if page_type in _OF_SERVICES else After.MESSAGE,
    )
