"""A world that exists twice: in the database, and in the oracle's memory.

Each act changes both. `disagreement` then analyses a delivery and says where we and
the oracle differ.
"""

import csv
import io
import random
from datetime import UTC, datetime, timedelta

from delivery import analysis, audiences, erasure, merging
from delivery.models import Delivery, Message
from optout import preferences, subscriptions
from optout.importing import import_profiles
from optout.models import Service
from optout.models.ledger import ConsentReason, ConsentSource
from profiles.addresses import parse, suffixes
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, DomainSuffix, Profile
from quarantine.models import BlockedDomain, QuarantinedAddress
from quarantine.reasons import Source, Status
from tests.delivery import oracle

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DOMAINS = ("example.com", "mail.example.com", "a.mail.example.com", "xample.com")
# One mailbox, many spellings: (identity, domain, spellings).
MAILBOXES = [
    (
        f"{name}@{domain}",
        domain,
        (f"{name}@{domain}", f" {name.upper()}@{domain.upper()}"),
    )
    for name in ("anna", "bo")
    for domain in DOMAINS
]
INVALID = [(text, "", (text, text)) for text in ("no-at-sign", "x@-")]
NUMBERS = [
    (f"+4670174060{digit}", "", (f"+4670174060{digit}", f"+46 (0)70-174 06 0{digit}"))
    for digit in range(3)
]
CHANNELS = (Channel.EMAIL, Channel.SMS)
FLAGS = (ANY_CHANNEL, Channel.EMAIL, Channel.SMS)
MOMENTS = [NOW - timedelta(days=1000 + days) for days in range(3)]
# By code point, not by any language; the last two differ when compared in UTF-16.
# For ever, and for two days: one is over at the very moment of the analysis.
VALIDITY = {"news": None, "offers": timedelta(days=2)}
AGES = [timedelta(days=1), timedelta(days=2), timedelta(days=3), timedelta()]
AGES.append(timedelta(days=2) - timedelta(microseconds=1))
EXTERNAL_IDS = ["A", "B", "Z", "a", "Å", "\uff5e", "𝔘", None]


def channel_of(mailbox) -> Channel:
    return Channel.SMS if mailbox[0].startswith("+") else Channel.EMAIL


class Stage:
    def __init__(self) -> None:
        self.world = oracle.World(validity=dict(VALIDITY))

    def arrive(self, external_id, country, created_at) -> oracle.Person:
        taken = {person.external_id for person in self.world.people}
        external_id = None if external_id in taken else external_id
        profile = Profile.objects.create(
            external_id=external_id, country=country, created_at=created_at
        )
        person = oracle.Person(profile.pk, created_at, external_id, country)
        self.world.people.append(person)
        return person

    def get_address(self, person, mailbox, *, spelling: int) -> None:
        """Make an address preferred, whether or not the person had it before."""
        if person.is_erased:
            return
        self._store_address(person, channel_of(mailbox), mailbox[2][spelling])
        self._remember_address(person, mailbox)

    def _remember_address(self, person, mailbox) -> None:
        channel = channel_of(mailbox)
        identity, domain, _ = mailbox
        others = [
            each
            for each in person.addresses
            if (each.channel, each.mailbox) != (channel, identity)
        ]
        for each in others:
            each.is_preferred = each.is_preferred and each.channel != channel
        is_deliverable = mailbox not in INVALID
        new = oracle.KnownAddress(int(channel), identity, domain, is_deliverable)
        person.addresses = [*others, new]

    def _store_address(self, person, channel: Channel, text: str) -> None:
        parsed = parse(channel, text)
        for suffix in suffixes(parsed.domain) if parsed.domain else ():
            DomainSuffix.objects.get_or_create(suffix=suffix, domain=parsed.domain)
        own = Address.objects.filter(profile_id=person.id, channel=channel)
        own.update(is_preferred=False)
        Address.objects.update_or_create(
            profile_id=person.id,
            channel=channel,
            digest=parsed.digest,
            defaults={
                "value": parsed.value,
                "domain": parsed.domain,
                "is_deliverable": parsed.is_deliverable,
                "is_preferred": True,
            },
        )

    def opt_out(self, person, channel: int) -> None:
        preferences.opt_out(
            Profile.objects.get(pk=person.id),
            channel,
            by="stage",
            source=ConsentSource.OPERATOR,
            now=NOW,
        )
        person.living.opt_outs.add(int(channel))

    def opt_in(self, person, channel: int) -> None:
        if person.is_erased:
            return
        preferences.opt_in(
            Profile.objects.get(pk=person.id),
            channel,
            by="stage",
            source=ConsentSource.OPERATOR,
            reason=ConsentReason.SIGNED_FORM,
            note="The form.",
            now=NOW,
        )
        person.opt_outs.discard(int(channel))

    def subscribe(self, person, service: str, age: timedelta) -> None:
        if person.is_erased:
            return
        subscriptions.subscribe(
            Profile.objects.get(pk=person.id),
            service_named(service),
            by="stage",
            source=ConsentSource.OPERATOR,
            reason=ConsentReason.SIGNED_FORM,
            note="The form.",
            now=NOW - age,
        )
        person.subscriptions[service] = NOW - age

    def unsubscribe(self, person, service: str) -> None:
        if person.is_erased:
            return
        subscriptions.unsubscribe(
            Profile.objects.get(pk=person.id),
            service_named(service),
            by="stage",
            source=ConsentSource.OPERATOR,
            now=NOW,
        )
        person.subscriptions[service] = None

    def import_row(self, person, mailbox, *, spelling: int, flag: int | None) -> None:
        """Import a file of one row: a new preferred address, perhaps an opt-out."""
        if person.external_id is None:
            return
        column = "mobile" if channel_of(mailbox) == Channel.SMS else "email"
        rows = io.StringIO(newline="")
        csv.writer(rows).writerows(
            [
                ["external_id", column, "no_contact", "no_email", "no_sms"],
                [
                    person.external_id,
                    mailbox[2][spelling],
                    *("yes" if flag == each else "no" for each in FLAGS),
                ],
            ]
        )
        import_profiles(io.BytesIO(rows.getvalue().encode()), now=NOW)
        self._remember_address(person.living, mailbox)
        if flag is not None:
            person.living.opt_outs.add(int(flag))

    def set_status(self, mailbox, spelling: int, status: Status) -> None:
        channel = channel_of(mailbox)
        QuarantinedAddress.objects.update_or_create(
            channel=channel,
            digest=parse(channel, mailbox[2][spelling]).digest,
            defaults={"status": status, "source": Source.OPERATOR},
        )
        self.world.quarantine[int(channel), mailbox[0]] = status.code

    def block(self, domain: str) -> None:
        BlockedDomain.objects.get_or_create(domain=domain)
        self.world.blocked_domains.add(domain)

    def unblock(self, domain: str) -> None:
        BlockedDomain.objects.filter(domain=domain).delete()
        self.world.blocked_domains.discard(domain)

    def erase(self, person) -> None:
        """Erase: opted out of everything, and each address denylisted for ever."""
        profile = Profile.objects.get(pk=person.id)
        erasure.erase(profile, by="stage", reason="asked", now=NOW)
        person = person.living
        for each in self.world.people:
            if each.living is person:
                each.external_id = None
        for address in person.addresses:
            self.world.quarantine[address.channel, address.mailbox] = "denylisted"
        person.opt_outs.add(ANY_CHANNEL)
        person.subscriptions = {}
        person.is_erased, person.external_id, person.addresses = True, None, []

    def merge(self, keep, lose) -> None:
        if keep is lose or keep.is_erased or lose.is_erased:
            return
        merging.merge(
            Profile.objects.get(pk=keep.id),
            Profile.objects.get(pk=lose.id),
            by="stage",
            reason="One person",
            now=NOW,
        )
        oracle.merge(keep, lose)

    def make_delivery(self, plan: oracle.Plan) -> Delivery:
        audience = audiences.everybody()
        if plan.external_ids is not None:
            audience = audiences.of_external_ids(plan.external_ids)
        elif plan.country is not None:
            condition = audiences.Condition("country", "equals", plan.country)
            audience = audiences.of_conditions([condition])
        return Delivery.objects.create(
            label="Stage",
            channel=plan.channel,
            audience=audience,
            excludes_shared_opt_outs=plan.excludes_shared_opt_outs,
            service=service_named(plan.service) if plan.service else None,
        )

    def disagreement(self, plan: oracle.Plan) -> dict[int, tuple]:
        """Analyse; give {profile id: (oracle's bits, ours)} where they differ."""
        expected = oracle.analyse(self.world, plan)
        found = analysed(self.make_delivery(plan))
        return {
            each: (expected.get(each), found.get(each))
            for each in expected.keys() | found.keys()
            if expected.get(each) != found.get(each)
        }


def service_named(name: str) -> Service:
    days = VALIDITY[name] and VALIDITY[name].days
    service, _is_new = Service.objects.get_or_create(
        name=name, defaults={"label": name, "channel": 0, "validity_days": days}
    )
    return service


def analysed(delivery: Delivery) -> dict[int, int]:
    """Analyse, and give the reason bits of every targeted profile by id."""
    try:
        run = analysis.prepare(delivery, by="stage", now=NOW)
    except analysis.AudienceEmpty:
        return {}
    rows = dict(
        Message.objects.filter(analysis=run).values_list("profile_id", "reasons")
    )
    assert run.targeted_count == len(rows)
    assert run.targeted_count == run.to_send_count + sum(run.excluded_counts.values())
    return rows


def crowded(seed: int) -> Stage:
    """Build a small world in which everything is likely to happen to somebody."""
    lots = random.Random(seed)
    stage = Stage()
    boxes = [*MAILBOXES[:4], *NUMBERS]
    for _ in range(14):
        person = stage.arrive(
            lots.choice(EXTERNAL_IDS), lots.choice(["SE", ""]), lots.choice(MOMENTS)
        )
        for _ in range(lots.choice([0, 1, 1, 2])):
            stage.get_address(person, lots.choice(boxes), spelling=lots.randrange(2))
        if lots.random() < 0.1:
            stage.get_address(person, lots.choice(INVALID), spelling=0)
        for flag in FLAGS:
            if lots.random() < 0.12:
                stage.opt_out(person, flag)
        for service in VALIDITY:
            if lots.random() < 0.7:
                stage.subscribe(person, service, lots.choice(AGES))
            if lots.random() < 0.15:
                stage.unsubscribe(person, service)
        if lots.random() < 0.05:
            stage.erase(person)
    for mailbox in lots.sample(boxes, 4):
        stage.set_status(mailbox, lots.randrange(2), lots.choice(list(Status)))
    stage.block(lots.choice(DOMAINS))
    return stage


PLANS = [
    oracle.Plan(
        channel=int(channel), excludes_shared_opt_outs=shared, at=NOW, **audience
    )
    for channel in CHANNELS
    for shared in (False, True)
    for audience in (
        {},
        {"country": "SE", "service": "news"},
        {"service": "offers"},
        {"external_ids": frozenset({"A", "B", "a", "Å"})},
    )
]
