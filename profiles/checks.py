"""System checks of the key that address digests are made with.

Digests of another key match nothing: every quarantined address would be written to
again, without any error. So a changed key is refused before it can do that.
"""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections

from profiles.addresses import parse
from profiles.channels import Channel
from profiles.models import Address

MIN_KEY_LENGTH = 32
_SAMPLE = 5
_CHANGED = (
    "ADDRESS_DIGEST_KEY is not the key that the stored addresses were digested with:"
    " quarantine would silently stop matching."
)
_CURE = "Put the former key back into the environment or .env."


@register(Tags.security)
def check_digest_key_setting(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """profiles.E001: the key is weak, or shared with a secret that is rotated."""
    key = settings.ADDRESS_DIGEST_KEY
    if key == settings.SECRET_KEY:
        fact = "is the same as SECRET_KEY, which changes while this one never may"
    elif len(key) < MIN_KEY_LENGTH:
        fact = f"has {len(key)} characters, fewer than {MIN_KEY_LENGTH}"
    else:
        return []
    return [
        Error(
            f"ADDRESS_DIGEST_KEY {fact}.",
            hint=(
                "Make a random key of its own before the first import, and keep it as"
                " safely as the database: without it the quarantine list is lost."
            ),
            id="profiles.E001",
        )
    ]


@register(Tags.database)
def check_digest_key_matches(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """profiles.E002: the key was changed after addresses were stored."""
    return [
        Error(_CHANGED, hint=_CURE, id="profiles.E002")
        for alias in databases or []
        if _is_key_changed(alias)
    ]


def check_digest_key() -> None:
    """Raise ImproperlyConfigured when stored digests were made with another key.

    For whatever is about to write or compare many digests: ask before the first one.
    """
    if _is_key_changed(DEFAULT_DB_ALIAS):
        raise ImproperlyConfigured(f"{_CHANGED} {_CURE}")


def _is_key_changed(alias: str) -> bool:
    if not _has_table(alias):
        return False

    # Email only: how a number is read depends on the country and on number plans.
    # Several, because a newer library may read a single rare one differently.
    stored = Address.objects.using(alias).filter(
        channel=Channel.EMAIL, is_deliverable=True
    )
    sample = stored.order_by("-pk").values_list("value", "digest")[:_SAMPLE]
    same = [parse(Channel.EMAIL, value).digest == known for value, known in sample]
    return bool(same) and not any(same)


def _has_table(alias: str) -> bool:
    connection = connections[alias]
    with connection.cursor() as cursor:
        return Address._meta.db_table in connection.introspection.table_names(cursor)
