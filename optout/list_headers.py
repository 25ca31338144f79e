"""List-* headers of a message (RFC 2369, 2919 and 8058); nothing else writes them.

A marketing message carries three: where to unsubscribe, that one click is enough, and
which list it is of. A transactional message carries none. What could break a header, or
send its reader elsewhere, is refused: here, not by the mail server that gets it.
"""

import re
from dataclasses import dataclass
from email.policy import Policy
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple, Self

from django.conf import settings
from django.urls import reverse

from optout import mail_tokens, tokens
from optout.mail_tokens import MailLink, MailPurpose
from optout.models import Service
from optout.tokens import Link, Purpose
from profiles import addresses
from profiles.channels import ANY_CHANNEL, Channel

_LONGEST_LINE: Final = 998  # RFC 5322 section 2.1.1
_LONGEST_DOMAIN: Final = 253
_BASE_URL: Final = re.compile(
    r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:/[A-Za-z0-9._~-]+)*"
)
# `address` or `name <address>`, whole: a reader that guesses would cut a typo short.
_SENDER: Final = re.compile(
    r'([^\r\n\0]*<)?[^<>@,"\s\0]+@([^<>@,"\s\0]+)(?(1)>)', re.ASCII
)
_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DOMAIN: Final = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")


class HeaderRefused(ValueError):
    """A header that would not say what it should; the text is a sentence."""


class ListHeader(str):
    """The value of a header, which folds between its items and nowhere else.

    The email package would fold a longer one as encoded words, which no mail client
    reads as a link.
    """

    name: str
    items: tuple[str, ...]

    def __new__(cls, name: str, *items: str) -> Self:
        header = super().__new__(cls, ", ".join(items))
        header.name, header.items = name, items
        return header

    def fold(self, *, policy: Policy) -> str:
        """Give the lines of the header; the email package calls this."""
        value = f",{policy.linesep} ".join(self.items)
        return f"{self.name}: {value}{policy.linesep}"


class HeaderPair(NamedTuple):
    """A header for EmailMessage: `message[pair.name] = pair.value`."""

    name: str
    value: ListHeader


@dataclass(frozen=True, slots=True)
class _Place:
    """Where links lead and mail goes, safe to write into a header."""

    base_url: str
    domain: str


def for_message(
    link: Link, *, service: Service | None, is_marketing: bool, domain: str = ""
) -> list[HeaderPair]:
    """Give the List-* headers of the message that a link is about.

    `domain` is where mail to unsubscribe goes; empty for that of DEFAULT_SENDER.
    Raises HeaderRefused with a sentence.
    """
    if not is_marketing:
        return []
    if link.service_id != (service.pk if service else 0):
        raise HeaderRefused(
            f"The List-Id cannot be written: the link is of service {link.service_id},"
            f" the message of {service.pk if service else 'none'}. Make both of one."
        )
    place = _place(settings.PUBLIC_BASE_URL, domain or mail_domain())
    items = {
        "List-Unsubscribe": (_one_click(link, place), _mailto(link, place)),
        "List-Unsubscribe-Post": ("List-Unsubscribe=One-Click",),
        "List-Id": (_list_id(link.channel, service, place),),
    }
    return [HeaderPair(name, _checked(name, *each)) for name, each in items.items()]


def mail_domain() -> str:
    """Give the domain of DEFAULT_SENDER as A-labels (RFC 5890), or nothing."""
    found = _SENDER.fullmatch(settings.DEFAULT_SENDER)
    domain = found[2] if found else ""
    if domain.isascii():
        return domain.lower()
    return addresses.canonical_form(Channel.EMAIL, f"a@{domain}")[1]


@lru_cache(maxsize=64)
def _place(base_url: str, domain: str) -> _Place:
    """Check where links lead and mail goes, once for the messages of a delivery."""
    return _Place(_checked_base_url(base_url), _checked_domain(domain))


def _one_click(link: Link, place: _Place) -> str:
    token = tokens.make(link, Purpose.ONE_CLICK)
    return f"<{place.base_url}{_path()}{token}>"


@cache
def _path() -> str:
    """Give what stands before the token in the path of one click."""
    return reverse("one_click", args=["x"]).removesuffix("x")


def _mailto(link: Link, place: _Place) -> str:
    about = MailLink(link.profile_id, link.channel, link.service_id, link.delivery_id)
    token = mail_tokens.make(about, MailPurpose.MAILTO)
    return f"<mailto:u+{token}@{place.domain}?subject=unsubscribe>"


def _list_id(channel: int, service: Service | None, place: _Place) -> str:
    if service is None:
        code = "any" if channel == ANY_CHANNEL else Channel(channel).code
        # A name of a service has no dot, so none is taken for this.
        return f"<{code}.channel.{place.domain}>"
    if not _LABEL.fullmatch(service.name):
        raise HeaderRefused(
            f"The List-Id cannot be written: the service's name {service.name!r} has"
            " other characters than letters, digits and hyphens. Rename the service."
        )
    return f"<{service.name}.{place.domain}>"


def _checked_base_url(url: str) -> str:
    found = _BASE_URL.fullmatch(url)
    if found is None:
        raise HeaderRefused(
            f"The unsubscribe link cannot be written: PUBLIC_BASE_URL {url!r} is no"
            " plain web address. Write https:// and the host, an international one"
            " as xn--…, without a query."
        )
    scheme, host = found.groups()
    if scheme != "https" and not _is_loopback(host):
        raise HeaderRefused(
            f"The unsubscribe link cannot be written: PUBLIC_BASE_URL {url!r} is not"
            " https, so mail providers would not use it. Write its https address."
        )
    return url


def _checked_domain(domain: str) -> str:
    if len(domain) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise HeaderRefused(
            f"The unsubscribe address cannot be written: {domain!r} is no mail domain."
            " Write a whole address into DEFAULT_SENDER."
        )
    return domain


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _checked(name: str, *items: str) -> ListHeader:
    if any(len(name) + len(item) + 3 > _LONGEST_LINE for item in items):
        raise HeaderRefused(
            f"{name} cannot be written: a line of it is longer than {_LONGEST_LINE}"
            " characters. Shorten PUBLIC_BASE_URL."
        )
    return ListHeader(name, *items)
