"""The people, the ledger and the logs that the lists of the console are measured on.

The server makes all of it out of numbers, the same each time. With `size` 1,000,000:
as many profiles with an address, messages of one delivery and rows of the ledger, 300 k
quarantined addresses with 400 k events, 900 k subscriptions, 200 k inbound reports, and
200 k actions in the audit trail, spread over a year; and some hundreds of all else.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from delivery import analysis
from delivery.models import (
    Audience,
    Delivery,
    HoldLevel,
    Inbound,
    LaneHold,
    TriageItem,
)
from delivery.states import DeliveryStatus, MessageStatus
from optout import page_defaults, pages
from optout.models import Brand, Burst, Service, StopRequest, Upload
from optout.models.pages import PageType
from optout.models.uploads import UploadKind, UploadStatus
from profiles.addresses import parse
from profiles.channels import Channel
from profiles.models import Address
from quarantine.models import BatchState, BlockedDomain, QuarantineBatch

# The address of the first profile that has one as people write it.
KNOWN: Final = "known.person@d7.example.com"
FEW: Final = 300
_DIGEST: Final = "md5(n::text)::uuid"
_DOMAIN: Final = "'d' || n % 1000 || '.example.com'"
_MOMENT: Final = "now() - interval '1 year' * n / {rows}"

# Table, columns, values of row n, and how many rows there are for each profile.
_TABLES: Final = [
    (
        "profiles_profile",
        "id, external_id, first_name, last_name, language, time_zone, street, postcode,"
        " city, country, attributes, created_at, updated_at",
        "n, 'B-' || lpad(n::text, 9, '0'), (ARRAY['Anna','Bo','Cecilia','Dan'])[1+n%4],"
        " 'Lind' || n % 5000, 'sv', '', '', '', '', 'SE', '{{}}', {moment}, {moment}",
        1,
    ),
    (
        "profiles_address",
        "profile_id, channel, value, digest, domain, is_deliverable, is_preferred,"
        " created_at",
        "n, 0, 'person' || n || '@' || {domain}, {digest}, {domain}, true, true,"
        " {moment}",
        1,
    ),
    (
        "optout_consentevent",
        "at, profile_id, address_digest, direction, channel, service_id, source,"
        " wording_hash, language, delivery_id, actor, reason, evidence_hash",
        "{moment}, 1 + n * 7919 % {rows}, {digest}, n % 2,"
        " CASE WHEN n % 3 > 0 THEN 0 END, CASE WHEN n % 3 = 0 THEN 1 + n % 20 END,"
        " 'landing_page', '', 'sv', CASE WHEN n % 5 = 0 THEN 1 END, '', '', ''",
        1,
    ),
    (
        "optout_optout",
        "profile_id, channel, opted_out_at",
        "n * 15, CASE WHEN n % 6 = 0 THEN -1 ELSE 0 END, {moment}",
        1 / 16,
    ),
    (
        "optout_subscription",
        "profile_id, service_id, subscribed_at, unsubscribed_at, source, origin",
        "n, 1 + n % 20, {moment}, CASE WHEN n % 9 = 0 THEN {moment} END, 'import', ''",
        0.9,
    ),
    (
        "quarantine_quarantinedaddress",
        "channel, digest, address, domain, status, is_provisional, reason, error_text,"
        " significant_error_count, first_error_at, last_error_at, last_delivery_label,"
        " source, updated_by, created_at, updated_at",
        "0, {digest}, 'person' || n || '@' || {domain}, {domain},"
        " (ARRAY[3,3,3,3,3,3,2,2,0,4])[1 + n % 10], false,"
        " (ARRAY['user_unknown','unreachable','mailbox_full'])[1 + n % 3], '550 5.1.1',"
        " 1, {moment}, {moment}, 'Spring', 'bounce', '', {moment}, {moment}",
        0.3,
    ),
    (
        "quarantine_quarantineevent",
        "channel, digest, at, event, from_status, to_status, reason, source, note,"
        " actor, domain, code, delivery_id, delivery_label",
        "0, {digest}, {moment}, 'hard_error', CASE WHEN n % 4 = 0 THEN 2 END, 3,"
        " (ARRAY['user_unknown','unreachable','mailbox_full'])[1 + n % 3], 'bounce',"
        " '', '', {domain}, '5.1.' || n % 7, 1 + n % 300, 'Delivery ' || n % 300",
        0.4,
    ),
    (
        "delivery_inbound",
        "kind, source, key, recipient, received_at, state, meaning, delivery_id,"
        " profile_id, digest, note, raw",
        "'mail', (ARRAY['mailbox','provider'])[1 + n % 2], n::text, '', {moment},"
        " (ARRAY['applied','recorded','foreign','failed'])[1 + (n % 50) / 15],"
        " (ARRAY['bounce','complaint','auto_reply','other'])[1 + n % 4], 1, n,"
        " {digest}, '', convert_to(repeat('x', 500), 'UTF8')",
        0.2,
    ),
    (
        "delivery_consoleaction",
        "at, actor, actor_id, action, outcome, about, counts, reason, network",
        "{moment}, 'operator' || n % 40, n % 40,"
        " (ARRAY['profile','opt_outs','quarantine_release'])[1 + n % 3],"
        " (ARRAY['seen','done','refused'])[1 + n % 3], '{{}}', '{{}}', '',"
        " '192.0.2.0/24'",
        0.2,
    ),
]


def load(size: int, *, by: User) -> Delivery:
    """Fill an empty database; gives the delivery that is under way to everybody."""
    _make(Service(name=f"s{n}", label=f"Service {n}", channel=0) for n in range(20))
    for table, columns, values, share in _TABLES:
        _fill(table, columns, values, rows=int(size * share))
    _reset_sequences()
    address = Address.objects.filter(domain="d7.example.com").earliest("pk")
    address.value, address.digest = KNOWN, parse(Channel.EMAIL, KNOWN).digest
    address.save()
    _make_few_of_all_else(by)
    delivery = _make_delivery()
    _execute("VACUUM ANALYZE")
    return delivery


def _fill(table: str, columns: str, values: str, *, rows: int) -> None:
    places = {"digest": _DIGEST, "domain": _DOMAIN, "moment": _MOMENT, "rows": rows}
    text = values.format(**places | {"moment": _MOMENT.format(rows=rows)})
    _execute(
        f"INSERT INTO {table} ({columns})"
        f" SELECT {text} FROM generate_series(1::bigint, {rows:d}) n"
    )


def _make_delivery() -> Delivery:
    """Analyse a delivery to everybody, and let half of it be sent."""
    delivery = Delivery.objects.create(
        label="To everybody", channel=Channel.EMAIL, audience=Audience.objects.create()
    )
    run = analysis.prepare(delivery, by="benchmark", now=timezone.now())
    _execute(
        f"UPDATE delivery_message SET attempt_count = 1, status = CASE"
        f" WHEN profile_id % 50 = 0 THEN {MessageStatus.FAILED:d}"
        f" ELSE {MessageStatus.SENT:d} END WHERE analysis_id = {run.pk:d}"
        f" AND status = {MessageStatus.READY:d} AND profile_id % 2 = 0"
    )
    Delivery.objects.filter(pk=delivery.pk).update(
        status=DeliveryStatus.PAUSED, started_at=timezone.now()
    )
    delivery.refresh_from_db()
    return delivery


def _make_few_of_all_else(by: User) -> None:
    now, numbers = timezone.now(), range(FEW)
    brand = Brand.objects.create(name="Shop")
    _make(Audience() for _ in numbers)
    _make(
        Delivery(label=f"Delivery {n}", channel=0, audience=audience, created_by=by)
        for n, audience in enumerate(Audience.objects.all())
    )
    _make(
        Burst(delivery_id=n, began_at=now - timedelta(days=n), ended_at=now, count=25)
        for n in numbers
    )
    _make(
        Upload(
            kind=UploadKind.PROFILES,
            file_name=f"people{n}.csv",
            status=UploadStatus.FINISHED,
            created_by=by,
        )
        for n in numbers
    )
    digests = Address.objects.order_by("pk").values_list("digest", flat=True)[:FEW]
    _make(StopRequest(channel=0, digest=each) for each in digests)
    _make(BlockedDomain(domain=f"closed{n}.example.org") for n in numbers)
    _make(
        QuarantineBatch(
            channel=0,
            domain=f"d{n}.example.com",
            began_at=now - timedelta(days=n),
            ended_at=now,
            state=BatchState.OPEN if n < 5 else BatchState.CONFIRMED,
            count=n,
        )
        for n in numbers
    )
    _make(
        LaneHold(
            domain=f"d{n}.example.com",
            level=HoldLevel.STOPPED,
            since=now,
            day=now.date(),
            sent=1000,
            complaints=9,
        )
        for n in numbers
    )
    _make(
        TriageItem(inbound_id=pk, is_suspected_stop=False, added_at=now, due_at=now)
        for pk in Inbound.objects.order_by("-pk").values_list("pk", flat=True)[:FEW]
    )
    for n in range(40):
        page = pages.create(
            f"Page {n}", PageType.PREFERENCES, by="", now=now, brand=brand
        )
        content = page_defaults.content(PageType.PREFERENCES, "en")
        pages.edit_draft(page, content, by="", now=now)


def _make(rows: Iterable[Any]) -> None:
    made = list(rows)
    type(made[0]).objects.bulk_create(made)


def _reset_sequences() -> None:
    _execute(
        "SELECT setval(pg_get_serial_sequence('profiles_profile', 'id'), max(id))"
        " FROM profiles_profile"
    )


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
