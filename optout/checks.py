"""System checks of the ledger and of the public link keys."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from optout import triggers

MIN_KEY_LENGTH = 32


@register(Tags.database)
def check_ledger_is_append_only(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """optout.E001: the triggers that refuse to rewrite the ledger are not there."""
    return [
        Error(
            f"The consent ledger of database “{alias}” can be rewritten: its trigger"
            f" {name} is missing or disabled.",
            hint="Run `manage.py migrate --skip-checks`, which installs it again.",
            id="optout.E001",
        )
        for alias in databases or []
        for name in triggers.LEDGER.missing(using=alias)
    ]


@register(Tags.security)
def check_public_link_keys(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """optout.E002: opt-out links could not be signed, or could be forged."""
    keys = settings.PUBLIC_LINK_KEYS
    weak = [name for name, key in keys.items() if not _is_usable(name, key)]
    if keys and not weak:
        return []
    fact = f"key {', '.join(map(repr, weak))} is not usable" if weak else "it is empty"
    return [
        Error(
            f"PUBLIC_LINK_KEYS cannot sign public links: {fact}.",
            hint=(
                "Write id=key pairs, joined by commas: an id of letters and digits,"
                f" a random key of {MIN_KEY_LENGTH} characters or more. Keep old keys:"
                " the links in sent messages need them."
            ),
            id="optout.E002",
        )
    ]


def _is_usable(name: str, key: str) -> bool:
    return name.isalnum() and name.isascii() and len(key or "") >= MIN_KEY_LENGTH
