"""What an operator lists by hand: addresses, all addresses of a profile, domains."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from profiles.addresses import ParsedAddress, canonical_form, digest, parse
from profiles.channels import Channel
from profiles.models import Address, Profile
from quarantine.models import BlockedDomain, QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Event, Reason, Source, Status
from quarantine.transitions import QuarantineError, apply, identity_of, listed_event

# The identity of a domain in the history: no address begins with this.
_DOMAIN_MARK = "@"


def list_address(
    channel: Channel,
    value: str,
    status: Status,
    *,
    country: str = "",
    reason: Reason,
    note: str,
    by: str,
    now: datetime,
) -> QuarantinedAddress:
    """Put an address into a status by hand, or edit the status and reason it has.

    Telephone numbers need their country code, or the two-letter `country`.
    Raises QuarantineError for an unreadable address, or when the table refuses.
    """
    parsed = parse(channel, value, country=country)
    if not parsed.is_deliverable:
        raise QuarantineError(_unreadable(channel))
    return _list(parsed, status, reason=reason, note=note, by=by, now=now)


def relist_address(
    row: QuarantinedAddress,
    status: Status,
    *,
    reason: Reason,
    note: str,
    by: str,
    now: datetime,
) -> QuarantinedAddress:
    """Edit the status and reason of a row by hand. Raises QuarantineError."""
    return _list(identity_of(row), status, reason=reason, note=note, by=by, now=now)


@transaction.atomic
def quarantine_all_addresses(
    profile: Profile, *, by: str, note: str, now: datetime
) -> int:
    """Quarantine every address of a profile, preferred or not; denylisted ones stay.

    Returns how many addresses that is. Raises QuarantineError when it has none.
    """
    # In one order everywhere, so that two operators cannot wait for each other.
    addresses = list(
        Address.objects.filter(profile=profile).order_by("digest", "channel")
    )
    if not addresses:
        raise QuarantineError(
            _(
                "Profile “%(profile)s” has no address to quarantine."
                " Opt the profile out instead."
            )
            % {"profile": profile}
        )
    for address in addresses:
        apply(
            identity_of(address),
            Event.PROFILE_QUARANTINED,
            by=by,
            source=Source.OPERATOR,
            reason=Reason.LISTED,
            note=note.strip(),
            now=now,
        )
    return len(addresses)


def block_domain(domain: str, *, note: str, by: str, now: datetime) -> BlockedDomain:
    """Exclude every address of a domain and its sub-domains from all deliveries.

    Takes it in any case and script; stores the lower-case A-label (RFC 5890). A
    domain that is blocked already stays as it is. Raises QuarantineError.
    """
    name = _domain_name(domain)
    with transaction.atomic():
        blocked, is_new = BlockedDomain.objects.get_or_create(
            domain=name,
            defaults={"note": note.strip(), "created_by": by, "created_at": now},
        )
        if is_new:
            _remember(Event.DOMAIN_BLOCKED, name, note=note, by=by, now=now)
    return blocked


def unblock_domain(domain: str, *, note: str, by: str, now: datetime) -> None:
    """Take a domain from the block list. Raises QuarantineError if it is not there."""
    name = _domain_name(domain)
    with transaction.atomic():
        deleted, _rows = BlockedDomain.objects.filter(domain=name).delete()
        if not deleted:
            raise QuarantineError(
                _("Domain “%(domain)s” is not blocked. Reload the list.")
                % {"domain": name}
            )
        _remember(Event.DOMAIN_UNBLOCKED, name, note=note, by=by, now=now)


def _list(
    parsed: ParsedAddress,
    status: Status,
    *,
    reason: Reason,
    note: str,
    by: str,
    now: datetime,
) -> QuarantinedAddress:
    _check_reason(reason)
    row = apply(
        parsed,
        listed_event(status),
        by=by,
        source=Source.OPERATOR,
        reason=_reason_of(status, reason),
        note=note.strip(),
        now=now,
    )
    assert row is not None  # every listing leaves a row
    return row


def _check_reason(reason: Reason) -> None:
    if reason == Reason.ERASED:
        raise QuarantineError(
            _("Reason “erased” is set by erasing a person only. Choose another one.")
        )


def _reason_of(status: Status, reason: Reason) -> Reason:
    if reason == Reason.NONE and status != Status.VALID:
        return Reason.LISTED
    return reason


def _unreadable(channel: Channel) -> str:
    return _(
        "The address is not one that channel %(channel)s can write to. Check its"
        " spelling; a telephone number begins with + and its country code."
    ) % {"channel": channel.label}


def _domain_name(domain: str) -> str:
    typed = domain.strip().rstrip(".")
    name = canonical_form(Channel.EMAIL, f"a@{typed}")[1] if typed else ""
    if not name or "@" in typed:
        raise QuarantineError(
            _(
                "“%(domain)s” is not a domain. Write the part after the @ of the"
                " addresses, such as example.com."
            )
            % {"domain": domain.strip()[:100]}
        )
    return name


def _remember(event: Event, domain: str, *, note: str, by: str, now: datetime) -> None:
    QuarantineEvent.objects.create(
        channel=Channel.EMAIL,
        digest=digest(Channel.EMAIL, _DOMAIN_MARK + domain),
        at=now,
        event=event,
        source=Source.OPERATOR,
        note=f"{domain}: {note.strip()}".rstrip(": "),
        actor=by,
    )
