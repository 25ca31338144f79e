"""What a new page says and offers before an operator changes it."""

from typing import Final

from optout.models.pages import PageType
from optout.page_content import Access, PageContent, Texts
from profiles.channels import Channel

_ERROR: Final = {
    "en": "Something went wrong, and nothing was changed. Press the button again.",
    "sv": "Något gick fel och inget ändrades. Tryck på knappen igen.",
}
_CLOSED: Final = {
    "en": "This page is not open.",
    "sv": "Den här sidan är inte öppen.",
}
# Title, introduction, button, what is said after it was pressed.
_TEXTS: Final[dict[PageType, dict[str, tuple[str, str, str, str]]]] = {
    PageType.DENYLIST: {
        "en": (
            "Stop all messages",
            "You will get no more messages from us, by any channel. It takes effect at"
            " once.",
            "Stop all messages",
            "You get no more messages from us. One that is on its way already may still"
            " arrive.",
        ),
        "sv": (
            "Stoppa alla meddelanden",
            "Du får inga fler meddelanden från oss, i någon kanal. Det gäller genast.",
            "Stoppa alla meddelanden",
            "Du får inga fler meddelanden från oss. Ett som redan är på väg kan ändå"
            " komma fram.",
        ),
    },
    PageType.PREFERENCES: {
        "en": (
            "What you get from us",
            "Tick what you want. What is not ticked stops.",
            "Save my choice",
            "Your choice is saved.",
        ),
        "sv": (
            "Det du får från oss",
            "Kryssa för det du vill ha. Det som inte är förkryssat upphör.",
            "Spara mitt val",
            "Ditt val är sparat.",
        ),
    },
    PageType.SUBSCRIBE: {
        "en": (
            "Subscribe",
            "You can unsubscribe at any time, by one press.",
            "Subscribe",
            "Thank you. Your choice is received.",
        ),
        "sv": (
            "Prenumerera",
            "Du kan avsluta när du vill, med ett tryck.",
            "Prenumerera",
            "Tack. Ditt val är mottaget.",
        ),
    },
    PageType.UNSUBSCRIBE: {
        "en": (
            "Unsubscribe",
            "Your subscription ends at once.",
            "Unsubscribe",
            "Your subscription has ended.",
        ),
        "sv": (
            "Avsluta prenumerationen",
            "Prenumerationen upphör genast.",
            "Avsluta prenumerationen",
            "Prenumerationen har upphört.",
        ),
    },
    PageType.ACQUISITION: {
        "en": (
            "Hear from us",
            "Tell us how we may reach you.",
            "Send",
            "Thank you. Your details are received.",
        ),
        "sv": (
            "Hör av oss",
            "Berätta hur vi får nå dig.",
            "Skicka",
            "Tack. Dina uppgifter är mottagna.",
        ),
    },
}
_FOR_ANYBODY: Final = {PageType.SUBSCRIBE, PageType.ACQUISITION}


def texts(page_type: str, language: str) -> Texts:
    """Give the first texts of a page in a language; empty where there are none."""
    found = _TEXTS[PageType(page_type)].get(language)
    if found is None:
        return Texts()
    title, intro, button, confirmation = found
    return Texts(
        title, intro, button, confirmation, _ERROR[language], _CLOSED[language]
    )


def content(page_type: str, language: str) -> PageContent:
    """Give what a new page of a type holds, in one language."""
    channels = (Channel.EMAIL, Channel.SMS)
    return PageContent(
        default_language=language,
        languages={language: texts(page_type, language)},
        channels=channels if page_type == PageType.PREFERENCES else (),
        access=Access.ANYBODY if page_type in _FOR_ANYBODY else Access.IDENTIFIED,
    )
