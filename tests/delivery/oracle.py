"""Who may be contacted, once more: naive, slow, and without SQL.

Written from the rules (ARCHITECTURE section 4 in words: docs/reference/eligibility.md),
not from the code, and the judge of analysis, explanation and gate. It knows two
addresses to be the same because the test that made them says so (`mailbox`), not by
computing anything.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

ANY = -1
BIT = {number: 1 << (number - 1) for number in range(1, 15)}


@dataclass
class KnownAddress:
    """An address as the world has it: `mailbox` is its identity on its channel."""

    channel: int
    mailbox: str
    domain: str = ""
    is_deliverable: bool = True
    is_preferred: bool = True


@dataclass
class Person:
    id: int
    created_at: datetime
    external_id: str | None = None
    country: str = ""
    addresses: list[KnownAddress] = field(default_factory=list)
    opt_outs: set[int] = field(default_factory=set)
    # service -> since when, or None when the person left it
    subscriptions: dict[str, datetime | None] = field(default_factory=dict)
    is_erased: bool = False
    merged_into: "Person | None" = None

    @property
    def living(self) -> "Person":
        return self.merged_into.living if self.merged_into else self

    def preferred(self, channel: int) -> KnownAddress | None:
        for address in self.addresses:
            if address.channel == channel and address.is_preferred:
                return address
        return None

    def is_opted_out(self, channel: int) -> bool:
        return ANY in self.opt_outs or channel in self.opt_outs


@dataclass
class World:
    people: list[Person] = field(default_factory=list)
    # (channel, mailbox) -> valid, allowlisted, erroneous, quarantine, denylisted
    quarantine: dict[tuple[int, str], str] = field(default_factory=dict)
    blocked_domains: set[str] = field(default_factory=set)
    # How long a subscription lasts, by service; None for ever.
    validity: dict[str, timedelta | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A delivery: its channel, its audience and its options."""

    channel: int
    external_ids: frozenset[str] | None = None
    country: str | None = None
    excludes_shared_opt_outs: bool = False
    service: str | None = None
    at: datetime = datetime.min


def analyse(world: World, plan: Plan) -> dict[int, int]:
    """Give the reason bits of every targeted person, by id; 0 is to send."""
    target = [person for person in world.people if is_targeted(person, plan)]
    reasons = {person.id: local_reasons(world, person, plan) for person in target}
    for person in target:
        if reasons[person.id] == 0 and _has_older_twin(person, target, reasons, plan):
            # Only marked now: the twin that keeps the address has none anyway.
            reasons[person.id] = BIT[11]
    return reasons


def is_targeted(person: Person, plan: Plan) -> bool:
    if person.is_erased:
        return False
    if plan.external_ids is not None and person.external_id not in plan.external_ids:
        return False
    return plan.country is None or person.country == plan.country


def local_reasons(world: World, person: Person, plan: Plan) -> int:
    """Give the bits of rules 1 to 10."""
    bits = 0
    address = person.preferred(plan.channel)
    if plan.service is not None and not _is_subscribed(world, person, plan):
        bits |= BIT[5]
    if ANY in person.opt_outs:
        bits |= BIT[3]
    if plan.channel in person.opt_outs:
        bits |= BIT[4]
    if address is None:
        return bits | BIT[1]

    if not address.is_deliverable:
        bits |= BIT[2]
    status = world.quarantine.get((plan.channel, address.mailbox))
    if status == "quarantine":
        bits |= BIT[6]
    if status == "denylisted":
        bits |= BIT[7]
    if status != "allowlisted" and _is_blocked(world, address.domain):
        bits |= BIT[8]
    if plan.excludes_shared_opt_outs and _is_opted_out_elsewhere(world, person, plan):
        bits |= BIT[9]
    return bits


def merge(keep: Person, lose: Person) -> None:
    """Make one person of two: the stricter state wins."""
    mailboxes = {(each.channel, each.mailbox) for each in lose.addresses}
    for address in lose.addresses:
        own = [each for each in keep.addresses if each.channel == address.channel]
        address.is_preferred &= not any(each.is_preferred for each in own)
    known = {(each.channel, each.mailbox) for each in keep.addresses}
    keep.addresses += [
        each for each in lose.addresses if (each.channel, each.mailbox) not in known
    ]
    keep.opt_outs |= lose.opt_outs
    keep.country = keep.country or lose.country
    email = keep.preferred(0)
    is_same_mailbox = email is None or (0, email.mailbox) in mailboxes
    for service, since in lose.subscriptions.items():
        if service not in keep.subscriptions:
            if since is None or is_same_mailbox:
                keep.subscriptions[service] = since
        elif since is None or keep.subscriptions[service] is None:
            keep.subscriptions[service] = None
        else:
            keep.subscriptions[service] = min(since, keep.subscriptions[service])
    lose.is_erased, lose.merged_into = True, keep
    lose.addresses, lose.subscriptions = [], {}


def _is_subscribed(world: World, person: Person, plan: Plan) -> bool:
    since = person.subscriptions.get(plan.service)
    if since is None:
        return False
    lasts = world.validity[plan.service]
    return lasts is None or plan.at < since + lasts


def _is_blocked(world: World, domain: str) -> bool:
    while domain:
        if domain in world.blocked_domains:
            return True
        domain = domain.partition(".")[2]
    return False


def _is_opted_out_elsewhere(world: World, person: Person, plan: Plan) -> bool:
    mine = person.preferred(plan.channel)
    for other in world.people:
        if other is person or not other.is_opted_out(plan.channel):
            continue
        for address in other.addresses:
            if (address.channel, address.mailbox) == (plan.channel, mine.mailbox):
                return True
    return False


def _has_older_twin(
    person: Person, target: list[Person], reasons: dict[int, int], plan: Plan
) -> bool:
    mine = person.preferred(plan.channel).mailbox
    for other in target:
        # A twin that lost to a third one passed the local rules as well.
        if other is person or reasons[other.id] & ~BIT[11]:
            continue
        if other.preferred(plan.channel).mailbox == mine and _age(other) < _age(person):
            return True
    return False


def _age(person: Person) -> tuple:
    """Order by created_at, then external id by code point, empty last, then id."""
    external_id = person.external_id or ""
    return (person.created_at, external_id == "", external_id, person.id)
