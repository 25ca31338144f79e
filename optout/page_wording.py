"""The whole wording of a page in one language: what the ledger's hash stands for.

Plain text, so that anybody can read it and compute the hash again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from optout.models import Service
from optout.page_content import PageContent

# By service id, as a string because JSON has no other keys: public name, description.
ServiceTexts = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Wording:
    """Everything that a version says, by language."""

    service_texts: dict[str, dict[str, list[str]]]
    texts: dict[str, str]
    hashes: dict[str, str]


def of(content: PageContent) -> Wording:
    """Write down what a page says, with the names that services have now."""
    services = list(
        Service.objects.filter(pk__in=content.services).prefetch_related("texts")
    )
    names = {code: service_texts(services, code) for code in content.languages}
    texts = {
        code: canonical(content, language=code, services=names[code])
        for code in content.languages
    }
    return Wording(names, texts, {code: hash_of(each) for code, each in texts.items()})


def hash_of(text: str) -> str:
    """Give the SHA-256 that the ledger keeps of a wording."""
    return hashlib.sha256(text.encode()).hexdigest()


def service_texts(services: Iterable[Service], language: str) -> dict[str, list[str]]:
    """Give public name and description of each service in a language."""
    found = {}
    for service in services:
        text = service.text_in(language)
        name, about = (text.public_name, text.description) if text else ("", "")
        found[str(service.pk)] = [name or service.label, about]
    return found


def canonical(content: PageContent, *, language: str, services: ServiceTexts) -> str:
    """Write a page in one language as lines of text, always in the same way."""
    texts = content.languages[language]
    with translation.override(language):
        lines = [
            (_("Title"), texts.title),
            (_("Introduction"), texts.intro),
            *((_("Channel"), str(each.label)) for each in content.channels),
            *(
                (_("Service"), ": ".join(part for part in services[str(each)] if part))
                for each in content.services
                if str(each) in services
            ),
            *((_("Field"), str(each.name.label)) for each in content.fields),
            *((_("Agreement"), each) for each in texts.agreements),
            (_("Button"), texts.button),
            (_("After it was pressed"), texts.confirmation),
            (_("When it failed"), texts.error),
        ]
        return "".join(f"{name}: {text}\n" for name, text in lines if text)
