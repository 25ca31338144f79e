"""Audiences: whom a delivery is meant for, as a query over profiles.

An audience is everybody, a list of external ids, or conditions on fields and
attributes that must all hold. Upper and lower case count in conditions.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Left, StrIndex
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from delivery.models import Audience, AudienceEntry
from delivery.models.audiences import AudienceKind
from profiles.models import Profile, ProfileQuerySet
from profiles.parsing import MAX_EXTERNAL_ID

ATTRIBUTE_PREFIX = "attributes."
_ENTRIES_AT_ONCE = 5_000

TEXT_FIELDS = {
    "external_id": gettext_lazy("External id"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "language": gettext_lazy("Preferred language"),
    "time_zone": gettext_lazy("Time zone"),
    "postcode": gettext_lazy("Postcode"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country"),
}
DATE_FIELDS = {
    "birth_date": gettext_lazy("Birth date"),
    "created_at": gettext_lazy("Created"),
}
FIELDS = {**TEXT_FIELDS, **DATE_FIELDS}

_TEXT_OPERATORS: dict[str, Callable[[str], Q]] = {
    "equals": lambda value: Q(operand=value),
    "not_equals": lambda value: ~Q(operand=value),
    "one_of": lambda value: Q(operand__in=_listed(value)),
    "contains": lambda value: Q(position__gt=0),
    "starts_with": lambda value: Q(start=value),
    "is_empty": lambda value: Q(operand=""),
    "is_not_empty": lambda value: ~Q(operand=""),
}
_DATE_OPERATORS = frozenset({"on", "before", "after", "is_empty", "is_not_empty"})
_WITHOUT_VALUE = frozenset({"is_empty", "is_not_empty"})

OPERATORS = {
    "equals": gettext_lazy("is"),
    "not_equals": gettext_lazy("is not"),
    "one_of": gettext_lazy("is one of"),
    "contains": gettext_lazy("contains"),
    "starts_with": gettext_lazy("starts with"),
    "is_empty": gettext_lazy("is empty"),
    "is_not_empty": gettext_lazy("is not empty"),
    "on": gettext_lazy("is on"),
    "before": gettext_lazy("is before"),
    "after": gettext_lazy("is after"),
}


class AudienceError(ValidationError):
    """An audience that cannot be: the sentence names the thing, fact and cure."""

    @property
    def sentence(self) -> str:
        return " ".join(self.messages)


@dataclass(frozen=True)
class Condition:
    """One condition: `field` of FIELDS or `attributes.NAME`, an operator, a value."""

    field: str
    operator: str
    value: str = ""


def everybody() -> Audience:
    """Make the audience of all profiles that are not erased."""
    return Audience.objects.create(kind=AudienceKind.EVERYBODY)


@transaction.atomic
def of_external_ids(external_ids: Iterable[str]) -> Audience:
    """Make an audience of a list of external ids; blank and repeated ones are passed.

    Raises AudienceError when none is left, or one is longer than an id can be.
    """
    listed = dict.fromkeys(text.strip() for text in external_ids)
    listed.pop("", None)
    if not listed:
        raise AudienceError(_("The list of external ids is empty. Give at least one."))
    for external_id in listed:
        if len(external_id) > MAX_EXTERNAL_ID or "\0" in external_id:
            raise AudienceError(
                _("External id ‘%(start)s…’ is not one: at most 200 characters.")
                % {"start": external_id[:20].replace("\0", "")}
            )

    audience = Audience.objects.create(kind=AudienceKind.EXTERNAL_IDS)
    AudienceEntry.objects.bulk_create(
        (AudienceEntry(audience=audience, external_id=each) for each in listed),
        batch_size=_ENTRIES_AT_ONCE,
    )
    return audience


def of_conditions(conditions: Sequence[Condition]) -> Audience:
    """Make an audience of the profiles that meet every condition.

    Raises AudienceError for no condition, an unknown field or operator, or a value
    that the operator cannot use.
    """
    if not conditions:
        raise AudienceError(_("There is no condition. Add one, or choose everybody."))
    for condition in conditions:
        check_condition(condition)
    return Audience.objects.create(
        kind=AudienceKind.CONDITIONS,
        conditions=[vars(condition) for condition in conditions],
    )


def check_condition(condition: Condition) -> None:
    """Raise AudienceError unless the condition can be evaluated."""
    is_attribute = len(condition.field) > len(ATTRIBUTE_PREFIX) and (
        condition.field.startswith(ATTRIBUTE_PREFIX)
    )
    if condition.field not in FIELDS and not is_attribute:
        raise AudienceError(
            _("There is no field ‘%(field)s’. Choose one of: %(fields)s.")
            % {"field": condition.field, "fields": ", ".join(FIELDS)}
        )
    allowed = _DATE_OPERATORS if condition.field in DATE_FIELDS else _TEXT_OPERATORS
    if condition.operator not in allowed:
        raise AudienceError(
            _("‘%(operator)s’ cannot be used on ‘%(field)s’. Choose one of: %(all)s.")
            % {
                "operator": condition.operator,
                "field": condition.field,
                "all": ", ".join(sorted(allowed)),
            }
        )
    if condition.operator not in _WITHOUT_VALUE:
        _check_value(condition)


def profiles_of(audience: Audience) -> ProfileQuerySet:
    """Give the profiles of an audience, without the erased ones."""
    profiles = Profile.objects.not_erased()
    if audience.kind == AudienceKind.EXTERNAL_IDS:
        entries = AudienceEntry.objects.filter(audience=audience)
        return profiles.filter(external_id__in=entries.values("external_id"))
    if audience.kind == AudienceKind.CONDITIONS:
        for condition in audience.conditions:
            profiles = _narrowed(profiles, Condition(**condition))
    return profiles


def unknown_count(audience: Audience) -> int:
    """Count the external ids of the audience that no profile has."""
    if audience.kind != AudienceKind.EXTERNAL_IDS:
        return 0
    known = Profile.objects.not_erased().filter(
        external_id=models.OuterRef("external_id")
    )
    return (
        AudienceEntry.objects.filter(audience=audience)
        .filter(~models.Exists(known))
        .count()
    )


def describe(audience: Audience) -> str:
    """Say in a line whom the audience is, for people."""
    if audience.kind == AudienceKind.EXTERNAL_IDS:
        count = AudienceEntry.objects.filter(audience=audience).count()
        return ngettext(
            "%(count)d listed external id", "%(count)d listed external ids", count
        ) % {"count": count}
    if audience.kind == AudienceKind.CONDITIONS:
        return "; ".join(_described(Condition(**each)) for each in audience.conditions)
    return _("Everybody")


def _described(condition: Condition) -> str:
    field = FIELDS.get(condition.field, condition.field.removeprefix(ATTRIBUTE_PREFIX))
    operator = OPERATORS[condition.operator]
    return f"{field} {operator} {condition.value}".strip()


def _check_value(condition: Condition) -> None:
    if "\0" in condition.value or not condition.value.strip():
        raise AudienceError(
            _("The condition on ‘%(field)s’ has no value. Give one.")
            % {"field": condition.field}
        )
    if condition.field in DATE_FIELDS:
        try:
            date.fromisoformat(condition.value)
        except ValueError as error:
            raise AudienceError(
                _("‘%(value)s’ is not a date. Write it as 2026-01-31.")
                % {"value": condition.value}
            ) from error


def _listed(value: str) -> list[str]:
    return [each.strip() for each in value.split(",") if each.strip()]


def _narrowed(profiles: ProfileQuerySet, condition: Condition) -> ProfileQuerySet:
    if condition.field in DATE_FIELDS:
        return profiles.filter(_date_condition(condition))
    operand = _operand(condition.field)
    value = condition.value
    return profiles.alias(
        operand=operand,
        position=StrIndex(operand, Value(value)),
        start=Left(operand, max(1, len(value))),
    ).filter(_TEXT_OPERATORS[condition.operator](value))


def _operand(field: str) -> Coalesce:
    text: Any = field
    if field.startswith(ATTRIBUTE_PREFIX):
        key = field.removeprefix(ATTRIBUTE_PREFIX)
        text = Cast(KeyTextTransform(key, "attributes"), models.TextField())
    return Coalesce(text, Value(""), output_field=models.TextField())


def _date_condition(condition: Condition) -> Q:
    field = condition.field
    if condition.operator == "is_empty":
        return Q(**{f"{field}__isnull": True})
    if condition.operator == "is_not_empty":
        return Q(**{f"{field}__isnull": False})

    start = _bound(field, date.fromisoformat(condition.value))
    end = _bound(field, date.fromisoformat(condition.value) + timedelta(days=1))
    if condition.operator == "before":
        return Q(**{f"{field}__lt": start})
    if condition.operator == "after":
        return Q(**{f"{field}__gte": end})
    return Q(**{f"{field}__gte": start, f"{field}__lt": end})


def _bound(field: str, day: date) -> date:
    """Give the day, or for a time the moment in UTC at which the day begins."""
    if field == "created_at":
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return day
