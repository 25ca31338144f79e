"""Words of the field in templates, each a link to what it means."""

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery import glossary

register = template.Library()


@register.simple_tag
def term(name: str) -> SafeString:
    """Write a word as a link to its place in the glossary."""
    found = glossary.find(name)
    return format_html(
        '<a href="{}#{}">{}</a>', reverse("glossary"), found.name, found.word
    )


@register.inclusion_tag("help/terms.html")
def terms(*names: str) -> dict[str, object]:
    """Write a line with the words of a page, below its lead."""
    return {"names": names}
