"""How often a network or a mailbox may ask, counted in a table of our own.

A window begins with the first time something happens, not with the clock: of what
may happen once a day, two are never less than a day apart. Never asked on a request
with an authentic token: whoever holds a link may stop as often as they like.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from optout.models import Limit
from optout.models.limits import LimitKind
from profiles import bulk

_IPV4_PREFIX: Final = 24
_IPV6_PREFIX: Final = 48
# Of these hosts a mailbox is the same with and without dots.
_IGNORES_DOTS: Final = frozenset({"gmail.com", "googlemail.com"})


@dataclass(frozen=True, slots=True)
class Rule:
    """At most so many within a window."""

    kind: LimitKind
    most: int
    within: timedelta


REQUESTS_OF_NETWORK: Final = Rule(LimitKind.NETWORK, 20, timedelta(hours=1))
REQUESTS_FOR_MAILBOX: Final = Rule(LimitKind.MAILBOX, 5, timedelta(hours=1))
MAIL_TO_MAILBOX: Final = Rule(LimitKind.MAIL, 1, timedelta(hours=24))
SERVICE_MAIL: Final = Rule(LimitKind.SERVICE, 1, timedelta(hours=24))
_RULES: Final = (
    REQUESTS_OF_NETWORK,
    REQUESTS_FOR_MAILBOX,
    MAIL_TO_MAILBOX,
    SERVICE_MAIL,
)


def allow(rule: Rule, subject: str, *, now: datetime) -> bool:
    """Count one more, and say whether it is within the rule."""
    return count(rule, subject, now=now) <= rule.most


def count(rule: Rule, subject: str, *, now: datetime) -> int:
    """Count one more of a subject, such as a network; give how many that makes.

    One statement: of many at the same moment, each gets a number of its own.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    over = connection.ops.adapt_datetimefield_value(now - rule.within)
    key = _key(rule.kind, subject)
    stored = key if connection.vendor == "postgresql" else key.hex
    [(number,)] = bulk.select(
        "INSERT INTO optout_limit (kind, key, began_at, count) VALUES (%s, %s, %s, 1)"
        " ON CONFLICT (kind, key) DO UPDATE SET"
        " count = CASE WHEN optout_limit.began_at <= %s THEN 1"
        " ELSE optout_limit.count + 1 END,"
        " began_at = CASE WHEN optout_limit.began_at <= %s THEN excluded.began_at"
        " ELSE optout_limit.began_at END"
        " RETURNING count",
        [rule.kind.value, stored, at, over, over],
    )
    return int(number)


def prune(*, now: datetime) -> int:
    """Delete what no rule needs any more; returns how many rows."""
    longest = max(rule.within for rule in _RULES)
    return Limit.objects.filter(began_at__lte=now - longest).delete()[0]


def network_of(request: HttpRequest) -> str:
    """Name the network a request comes from: IPv4 /24, IPv6 /48.

    X-Forwarded-For is believed as far as TRUSTED_PROXIES of our own wrote it.
    """
    for text in (_forwarded(request), request.META.get("REMOTE_ADDR", "")):
        address = _ip(text)
        if address is not None:
            prefix = _IPV4_PREFIX if address.version == 4 else _IPV6_PREFIX
            return str(ip_network((address, prefix), strict=False))
    return ""


def visitor_of(request: HttpRequest) -> str:
    """Name the machine a request comes from, as far as our own proxies tell."""
    for text in (_forwarded(request), request.META.get("REMOTE_ADDR", "")):
        address = _ip(text)
        if address is not None:
            return str(address)
    return ""


def mailbox_of(canonical: str) -> str:
    """Name the mailbox behind the canonical form of an address, for counting only.

    `jane+a@example.org` and `jane@example.org` are two addresses, and may well be one
    person's. So are dots in a name at Gmail. A telephone number is itself.
    """
    local, at, domain = canonical.rpartition("@")
    if not at:
        return canonical
    name = local.partition("+")[0] or local
    if domain in _IGNORES_DOTS:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def _forwarded(request: HttpRequest) -> str:
    trusted = settings.TRUSTED_PROXIES
    chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return chain[-trusted] if 0 < trusted <= len(chain) else ""


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _key(kind: LimitKind, subject: str) -> UUID:
    salt = f"optout.limiting.{kind.value}"
    seal = salted_hmac(salt, subject, algorithm="sha256")
    return UUID(bytes=seal.digest()[:16])
