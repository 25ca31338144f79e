"""Understanding one row of a file of subscriptions. Knows nothing of what is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from optout.models import Service
from profiles.addresses import parse
from profiles.channels import Channel
from profiles.reading import FailedRow, Row

IDENTITIES: Final = {"email": Channel.EMAIL, "mobile": Channel.SMS}
COLUMNS: Final = (
    "external_id",
    *IDENTITIES,
    "service",
    "operation",
    "subscribed_at",
    "origin",
)
MAX_ORIGIN: Final = 200  # characters
_OPERATIONS: Final = {
    "": True,
    "subscribe": True,
    "1": True,
    "unsubscribe": False,
    "0": False,
}


class Wanted(NamedTuple):
    """What a row asks for. One of `external_id` and `digest` says for whom."""

    line: int
    external_id: str
    digest: str
    service: Service
    is_subscribing: bool
    subscribed_at: datetime | None
    origin: str


class _RowError(Exception):
    """Why a row is left out: column, reason, cure."""


@dataclass(frozen=True)
class RowReader:
    """Reads rows with these columns; `service` is the one that all rows are about."""

    columns: list[str]
    services: Mapping[str, Service]
    now: datetime
    service: Service | None = None
    _places: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places.update(
            (name, self.columns.index(name)) for name in COLUMNS if name in self.columns
        )

    def read(self, row: Row) -> Wanted | FailedRow:
        """Give what a row asks for, or why it is left out."""
        line, cells = row
        values = {name: cells[place].strip() for name, place in self._places.items()}
        try:
            digest = "" if values.get("external_id") else self._digest(values)
            return Wanted(
                line,
                values.get("external_id", ""),
                digest,
                self._service(values.get("service", "")),
                self._is_subscribing(values.get("operation", "")),
                self._moment(values.get("subscribed_at", "")),
                self._origin(values.get("origin", "")),
            )
        except _RowError as error:
            return FailedRow(line, *error.args)

    def _digest(self, values: Mapping[str, str]) -> str:
        for name, channel in IDENTITIES.items():
            if text := values.get(name, ""):
                return parse(channel, text).digest.hex
        raise _RowError(
            "external_id",
            _("The row does not say who it is about."),
            _("Give an external id, an email address or a mobile number."),
        )

    def _service(self, name: str) -> Service:
        service = self.services.get(name.casefold()) if name else self.service
        if service is None:
            names = ", ".join(self.services) or "–"
            raise _RowError(
                "service",
                _("There is no such service."),
                _("Write one of: %(codes)s.") % {"codes": names},
            )
        return service

    def _is_subscribing(self, code: str) -> bool:
        try:
            return _OPERATIONS[code.casefold()]
        except KeyError:
            raise _RowError(
                "operation",
                _("The operation is not known."),
                _("Write subscribe or unsubscribe."),
            ) from None

    def _moment(self, text: str) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            raise _RowError(
                "subscribed_at",
                _("The cell is not a date and time."),
                _("Write it like 2024-05-31T14:30:00+02:00."),
            ) from None
        if moment > self.now:
            raise _RowError(
                "subscribed_at",
                _("The moment lies in the future."),
                _("Write when the person subscribed."),
            )
        return moment

    def _origin(self, text: str) -> str:
        if len(text) > MAX_ORIGIN:
            raise _RowError(
                "origin",
                _("The cell holds more than %(limit)d characters.")
                % {"limit": MAX_ORIGIN},
                _("Shorten it."),
            )
        return text


def named_services() -> dict[str, Service]:
    """Give every service by its name, folded as files are compared."""
    return {service.name.casefold(): service for service in Service.objects.all()}


def unknown_person(wanted: Wanted) -> FailedRow:
    """Say that nobody is known by what a row gives."""
    column = "external_id" if wanted.external_id else "email"
    return FailedRow(
        wanted.line,
        column,
        _("Nobody is known by this."),
        _("Import the profile first."),
    )


def strictest(rows: list[Wanted], owners: list[int]) -> Iterator[tuple[Wanted, int]]:
    """Give one row for each person and service: unsubscribing wins, else the last."""
    chosen: dict[tuple[int, int], tuple[Wanted, int]] = {}
    for wanted, profile_id in zip(rows, owners, strict=True):
        key = (profile_id, wanted.service.pk)
        known = chosen.get(key)
        if known is None or known[0].is_subscribing:
            chosen[key] = (wanted, profile_id)
    yield from chosen.values()
