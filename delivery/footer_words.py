"""The words of the footer of an email, in the language of its recipient."""

from django.utils import translation
from django.utils.translation import gettext as _

from delivery.content_footer import FooterWords


def footer_words(language: str) -> FooterWords:
    """Give what the links of the footer say in one of our languages."""
    with translation.override(language):
        return FooterWords(
            unsubscribe=_("Unsubscribe"), preferences=_("Choose what you get")
        )
