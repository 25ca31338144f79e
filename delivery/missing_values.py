"""How many of those to be sent to lack a value that the content asks for."""

from collections.abc import Iterator
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery import composing
from delivery.content import Content, ContentError
from delivery.control_rules import Finding, Level, Phase
from delivery.models import Delivery, Message
from delivery.states import MessageStatus
from profiles.channels import Channel

_COLUMNS: Final = frozenset(composing.FIELDS) - {"attributes"}
_ATTRIBUTES: Final = "attributes."


def missing_values(delivery: Delivery, content: Content) -> list[Finding]:
    """Give a warning per merge field that some recipients have no value for.

    Fields with a `default` are left out; of letters, incomplete addresses come in. One
    statement each over the analysis at hand; nothing without one, and nothing of a
    content that cannot be read.
    """
    if delivery.current_analysis_id is None:
        return []
    try:
        bare = composing.compiled(content).bare_fields
    except ContentError:
        return []
    names = sorted(
        field.removeprefix("profile.") for field in bare if _is_counted(field)
    )
    return [
        *_incomplete_addresses(delivery),
        *_missing(delivery.current_analysis_id, names),
    ]


def _missing(analysis_id: int, names: list[str]) -> list[Finding]:
    return [
        Finding(
            "missing_value",
            Level.WARNING,
            _sentence(name, count),
            Phase.PERSONALISATION,
        )
        for name, count in _counts(analysis_id, names)
        if count
    ]


def _incomplete_addresses(delivery: Delivery) -> list[Finding]:
    """Warn of letters that hardly arrive: without a street or a city."""
    if delivery.channel != Channel.DIRECT_MAIL:
        return []
    parts = {"street": _("street"), "city": _("city")}
    return [
        Finding(
            "incomplete_postal_address",
            Level.WARNING,
            ngettext(
                "%(count)d postal address has no %(part)s. See whether it arrives.",
                "%(count)d postal addresses have no %(part)s. See whether they arrive.",
                count,
            )
            % {"count": count, "part": parts[name]},
            Phase.TARGETING_END,
        )
        for name, count in _counts(delivery.current_analysis_id or 0, list(parts))
        if count
    ]


def _is_counted(field: str) -> bool:
    name = field.removeprefix("profile.")
    is_attribute = name.startswith(_ATTRIBUTES) and name.count(".") == 1
    return field.startswith("profile.") and (name in _COLUMNS or is_attribute)


def _counts(analysis_id: int, names: list[str]) -> Iterator[tuple[str, int]]:
    if not names:
        return
    sums, params = [], []
    for name in names:
        value, own = _value(name)
        sums.append(
            f"COALESCE(SUM(CASE WHEN COALESCE({value}, '') = '' THEN 1 END), 0)"
        )
        params += own
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(sums)} FROM {Message._meta.db_table} message"
            " JOIN profiles_profile profile ON profile.id = message.profile_id"
            " WHERE message.analysis_id = %s AND message.status = %s",
            [*params, analysis_id, MessageStatus.READY.value],
        )
        yield from zip(names, cursor.fetchone(), strict=True)


def _value(name: str) -> tuple[str, list[str]]:
    """Give the SQL of a field's value as text, and its parameters."""
    is_postgresql = connection.vendor == "postgresql"
    if name.startswith(_ATTRIBUTES):
        key = name.removeprefix(_ATTRIBUTES)
        if is_postgresql:
            return "profile.attributes ->> %s", [key]
        return "CAST(json_extract(profile.attributes, %s) AS TEXT)", [f'$."{key}"']
    column = f"CAST(profile.{name} AS TEXT)"
    return column, []


def _sentence(name: str, count: int) -> str:
    return ngettext(
        "%(count)d recipient has no value for “profile.%(name)s”. Give the field a"
        " default.",
        "%(count)d recipients have no value for “profile.%(name)s”. Give the field a"
        " default.",
        count,
    ) % {"count": count, "name": name}
