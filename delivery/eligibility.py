"""Who may be contacted: the only place that knows.

Yields parameterised SQL, in the subset that PostgreSQL and SQLite share, for three
callers that wrap it without copying any of it: the analysis (set-based, over the
whole target), the gate (one message at send time) and the explanation (one profile).

Each rule is one row of RULES: a reason, the condition under which it excludes, and
the table that the condition looks at. Rules 1 to 10 are local to a profile: they are
evaluated for everybody and each that applies sets its bit. Rule 11 looks at the whole
target, so its losers are found first, by digest, among those whom no earlier rule
excluded. The rules' order and meaning: docs/reference/eligibility.md.

Two facts behind the shape of the SQL, measured (docs/decisions/0002): LEFT JOINs and
one computed value beat a pass per rule; finding the few groups of equal digests first
beats ranking everybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from delivery import audiences
from delivery.models import Delivery
from delivery.models.audiences import AudienceKind
from delivery.states import ExclusionReason
from profiles.channels import ANY_CHANNEL
from quarantine.reasons import Status


@dataclass(frozen=True)
class Sql:
    """A piece of SQL with its parameters, in the order of its placeholders."""

    text: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Rule:
    """Excludes a profile where `condition` holds; `joins` are what it looks at."""

    reason: ExclusionReason
    condition: str
    joins: tuple[str, ...] = ()


@dataclass(frozen=True)
class OneMessage:
    """A message as SQL expressions: its profile, its own digest, and the time.

    Expressions, so that one statement can be prepared for all messages.
    """

    profile: str
    digest: str
    now: str


@dataclass(frozen=True)
class IdRange:
    """The profiles from `first` to `last`, both included."""

    first: int
    last: int


# What a rule may look at. `{range:x}` narrows a table to the range of profiles at
# hand, which PostgreSQL does not conclude by itself from an inequality on another
# table; SQLite looks each profile up anyway. `{one:x}` narrows what is gathered for
# everybody to one message, at the gate.
JOINS = {
    "opted_out_any": (
        "LEFT JOIN optout_optout any_out ON any_out.profile_id = profiles_profile.id"
        " AND any_out.channel = {any_channel} {range:any_out}"
    ),
    "opted_out_channel": (
        "LEFT JOIN optout_optout channel_out"
        " ON channel_out.profile_id = profiles_profile.id"
        " AND channel_out.channel = {channel} {range:channel_out}"
    ),
    # An expired subscription is none, from the very moment on.
    "subscription": (
        "LEFT JOIN optout_subscription subscription"
        " ON subscription.profile_id = profiles_profile.id"
        " AND subscription.service_id = {service}"
        " AND subscription.unsubscribed_at IS NULL"
        " AND (subscription.expires_at IS NULL OR subscription.expires_at > {now})"
        " {range:subscription}"
    ),
    "quarantine": (
        "LEFT JOIN quarantine_quarantinedaddress known"
        " ON known.digest = address.digest AND known.channel = {channel}"
    ),
    "blocked": (
        "LEFT JOIN (SELECT DISTINCT suffix.domain FROM quarantine_blockeddomain block"
        " JOIN profiles_domainsuffix suffix ON suffix.suffix = block.domain"
        " {one:blocked}) blocked"
        " ON blocked.domain = address.domain"
    ),
    # Every profile that opted out, by the addresses it has on the channel. First and
    # last of them tell, without a list, whether there is one besides this profile.
    "shared": (
        "LEFT JOIN (SELECT other.digest, MIN(other.profile_id) AS first_id,"
        " MAX(other.profile_id) AS last_id"
        " FROM optout_optout flag JOIN profiles_address other"
        " ON other.profile_id = flag.profile_id AND other.channel = {channel}"
        " WHERE flag.channel IN ({any_channel}, {channel}) {one:shared}"
        " GROUP BY other.digest) shared ON shared.digest = address.digest"
    ),
}

_ONE = {
    "blocked": (
        "WHERE suffix.domain = (SELECT own.domain FROM profiles_address own"
        " WHERE own.profile_id = {profile} AND own.channel = {channel}"
        " AND own.digest = {digest})"
    ),
    "shared": "AND other.digest = {digest}",
}

RULES = (
    Rule(ExclusionReason.ADDRESS_NOT_SPECIFIED, "address.id IS NULL"),
    Rule(ExclusionReason.BAD_QUALITY_ADDRESS, "NOT address.is_deliverable"),
    Rule(
        ExclusionReason.OPTED_OUT_ANY,
        "any_out.profile_id IS NOT NULL",
        ("opted_out_any",),
    ),
    Rule(
        ExclusionReason.OPTED_OUT_CHANNEL,
        "channel_out.profile_id IS NOT NULL",
        ("opted_out_channel",),
    ),
    Rule(
        ExclusionReason.NOT_SUBSCRIBED,
        "subscription.profile_id IS NULL",
        ("subscription",),
    ),
    Rule(
        ExclusionReason.QUARANTINED_ADDRESS,
        f"known.status = {Status.QUARANTINE:d}",
        ("quarantine",),
    ),
    Rule(
        ExclusionReason.DENYLISTED_ADDRESS,
        f"known.status = {Status.DENYLISTED:d}",
        ("quarantine",),
    ),
    Rule(
        ExclusionReason.SUPPRESSED_ADDRESS,
        "blocked.domain IS NOT NULL"
        f" AND COALESCE(known.status, 0) <> {Status.ALLOWLISTED:d}",
        ("blocked", "quarantine"),
    ),
    Rule(
        ExclusionReason.OPTED_OUT_OTHER_PROFILE,
        "shared.first_id <> profiles_profile.id"
        " OR shared.last_id <> profiles_profile.id",
        ("shared",),
    ),
)

DUPLICATE_ORDER = (
    "created_at, CASE WHEN COALESCE(external_id, '') = '' THEN 1 ELSE 0 END,"
    " external_id COLLATE {code_points}, profile_id"
)


def rules_of(delivery: Delivery) -> tuple[Rule, ...]:
    """List the local rules (1 to 10) that apply to a delivery, in rule order."""
    is_asked = {
        ExclusionReason.NOT_SUBSCRIBED: delivery.service_id is not None,
        ExclusionReason.OPTED_OUT_OTHER_PROFILE: delivery.excludes_shared_opt_outs,
    }
    return tuple(rule for rule in RULES if is_asked.get(rule.reason, True))


def is_evaluated(reason: ExclusionReason, delivery: Delivery) -> bool:
    """Say whether a rule is asked at all for a delivery."""
    local = {rule.reason for rule in rules_of(delivery)}
    return reason in local or reason == ExclusionReason.DUPLICATE_ADDRESS


def target(delivery: Delivery) -> Sql:
    """Give the condition on profiles_profile that makes the target of a delivery."""
    query = audiences.profiles_of(delivery.audience).query
    compiler = query.get_compiler(connection=connection)
    text, params = compiler.compile(query.where)
    return Sql(f"({text})", tuple(params))


def evaluated(
    delivery: Delivery, *, now: datetime, within: Sql, ids: IdRange | None = None
) -> Sql:
    """Give the query of every profile `within`, with the bits of its local reasons.

    Takes a delivery, the time that subscriptions must outlast, a condition on
    profiles_profile (that of target(), or a narrower one) and optionally a range of
    profile ids. The query has the columns
    profile_id, created_at, external_id, address, digest, reasons: one row a profile;
    address and digest are those of the preferred address on the delivery's channel,
    NULL without one; reasons is the bit set of delivery.states.ExclusionReason.
    """
    text = _filled(_everyone(delivery, "address.is_preferred"), delivery, ids)
    text = text.replace("{now}", _literal(now))
    if ids is None:
        return Sql(f"{text} WHERE {within.text}", within.params)
    of_range = f"profiles_profile.id BETWEEN {ids.first:d} AND {ids.last:d}"
    return Sql(f"{text} WHERE {of_range} AND {within.text}", within.params)


def evaluated_one(delivery: Delivery, message: OneMessage) -> str:
    """Give the query of one message: its profile_id and reasons, as of this moment.

    The same rules as evaluated(), asked of the address that the message was made for:
    a profile that has got another preferred address since keeps this one for it, and
    one that lost it has no address. No row when there is no such profile.
    """
    text = _everyone(delivery, "address.digest = {digest}")
    for table in _pieces(text, "range"):
        narrowed = f"AND {table}.profile_id = {{profile}}"
        text = text.replace(f"{{range:{table}}}", narrowed)
    for name, narrowed in _ONE.items():
        text = text.replace(f"{{one:{name}}}", narrowed)
    text = _filled(f"{text} WHERE profiles_profile.id = {{profile}}", delivery)
    for name in ("profile", "digest", "now"):
        text = text.replace(f"{{{name}}}", getattr(message, name))
    return text


def evaluated_messages(delivery: Delivery, *, now: datetime, within: Sql) -> Sql:
    """Give the query of evaluated_one() for many messages at once.

    `within` is a condition on the table `targeted` (delivery_message) that picks them;
    each is asked about with the address that it was made for.
    """
    people = (
        "delivery_message targeted JOIN profiles_profile"
        " ON profiles_profile.id = targeted.profile_id"
    )
    text = _everyone(delivery, "address.digest = targeted.digest", people=people)
    text = _filled(text, delivery).replace("{now}", _literal(now))
    return Sql(f"{text} WHERE {within.text}", within.params)


def _everyone(
    delivery: Delivery, address: str, *, people: str = "profiles_profile"
) -> str:
    """Give the query of evaluated(), to be filled; `address` says which one counts."""
    rules = rules_of(delivery)
    joins = dict.fromkeys(join for rule in rules for join in rule.joins)
    bits = " + ".join(
        f"CASE WHEN {rule.condition} THEN {rule.reason.bit} ELSE 0 END"
        for rule in rules
    )
    return (
        "SELECT profiles_profile.id AS profile_id, profiles_profile.created_at,"
        " profiles_profile.external_id, address.value AS address, address.digest,"
        f" {bits} AS reasons FROM {people}"
        " LEFT JOIN profiles_address address"
        f" ON address.profile_id = profiles_profile.id AND {address}"
        " AND address.channel = {channel} {range:address} "
        + " ".join(JOINS[join] for join in joins)
    )


def sharing(delivery: Delivery, *, among: Sql | None = None) -> Sql:
    """Give the query of the profiles whose preferred address another one has too.

    One column, profile_id, each once. `among` is a condition on the table `twin`
    (profiles_address) that narrows the search to some digests.
    """
    condition = _filled(
        "twin.channel = {channel} AND twin.is_preferred AND twin.is_deliverable",
        delivery,
    )
    params: tuple[Any, ...] = ()
    if among is not None:
        condition, params = f"{condition} AND {among.text}", among.params
    elif delivery.audience.kind != AudienceKind.EVERYBODY:
        # The cost follows the target, not all profiles there are.
        within = target(delivery)
        targeted = f"SELECT id FROM profiles_profile WHERE {within.text}"
        condition += f" AND twin.profile_id IN ({targeted})"
        params = within.params
    shared = (
        f"FROM profiles_address twin WHERE {condition}"
        " GROUP BY twin.digest HAVING COUNT(*) > 1"
    )
    if connection.vendor == "postgresql":
        # Takes half the time of a join, which SQLite is fast at.
        return Sql(
            f"SELECT unnest(array_agg(twin.profile_id)) AS profile_id {shared}", params
        )
    return Sql(
        _filled(
            "SELECT carrier.profile_id FROM profiles_address carrier"
            " WHERE carrier.channel = {channel} AND carrier.is_preferred"
            f" AND carrier.digest IN (SELECT twin.digest {shared})",
            delivery,
        ),
        params,
    )


def duplicates(
    delivery: Delivery, *, now: datetime, among: Sql | None = None, found: str = ""
) -> Sql:
    """Give the query of rule 11: the profiles that lose their address to an older one.

    Among the profiles of the target that no local rule excludes and that share one
    digest, the oldest keeps it: by created_at, then external_id by code point with
    empty ones last, then id. One column, profile_id. `among` is that of sharing();
    or `found` names a table of profile_id that holds what sharing() gave.
    """
    within = target(delivery)
    shared = (
        Sql(f"SELECT profile_id FROM {found}")
        if found
        else sharing(delivery, among=among)
    )
    candidates = f"profiles_profile.id IN ({shared.text})"
    everyone = evaluated(
        delivery,
        now=now,
        within=Sql(f"{candidates} AND {within.text}", (*shared.params, *within.params)),
    )
    order = DUPLICATE_ORDER.format(code_points=_code_points())
    return Sql(
        "SELECT ranked.profile_id FROM (SELECT free.profile_id, row_number() OVER"
        f" (PARTITION BY free.digest ORDER BY {order}) AS place"
        f" FROM ({everyone.text}) free WHERE free.reasons = 0) ranked"
        " WHERE ranked.place > 1",
        everyone.params,
    )


def kept(delivery: Delivery, *, now: datetime) -> Sql:
    """Give the query of the profiles to send to: the whole definition at once."""
    everyone = evaluated(delivery, now=now, within=target(delivery))
    losers = duplicates(delivery, now=now)
    return Sql(
        f"SELECT free.profile_id FROM ({everyone.text}) free WHERE free.reasons = 0"
        f" AND free.profile_id NOT IN ({losers.text})",
        (*everyone.params, *losers.params),
    )


def _filled(text: str, delivery: Delivery, ids: IdRange | None = None) -> str:
    """Put the channel, its constants and the range of ids into a piece of SQL."""
    filled = text.replace("{any_channel}", str(ANY_CHANNEL))
    filled = filled.replace("{channel}", f"{delivery.channel:d}")
    filled = filled.replace("{service}", f"{delivery.service_id or 0:d}")
    for table in _pieces(text, "range"):
        narrowed = (
            f"AND {table}.profile_id BETWEEN {ids.first:d} AND {ids.last:d}"
            if ids and connection.vendor == "postgresql"
            else ""
        )
        filled = filled.replace(f"{{range:{table}}}", narrowed)
    for name in _ONE:
        filled = filled.replace(f"{{one:{name}}}", "")
    return filled


def _pieces(text: str, kind: str) -> Iterator[str]:
    for piece in text.split(f"{{{kind}:")[1:]:
        yield piece.partition("}")[0]


def _literal(moment: datetime) -> str:
    """Write a time as the database compares it: text on SQLite, as it is stored."""
    stored = connection.ops.adapt_datetimefield_value(moment)
    return (
        f"'{stored}'::timestamptz"
        if connection.vendor == "postgresql"
        else f"'{stored}'"
    )


def _code_points() -> str:
    """Name the collation that compares by code point."""
    return '"C"' if connection.vendor == "postgresql" else "BINARY"
