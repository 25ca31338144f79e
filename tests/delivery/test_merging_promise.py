"""Promise 9 for merges: nobody is reached whom either of the two had stopped.

Each property has its sabotage twin: a merge, or a link, with one mistake, which the
same property must find.
"""

import random
from dataclasses import dataclass, replace

from django.db import transaction

from delivery import merging
from delivery.merging import SubscriptionLine
from optout import flagging, stopping
from optout.models import OptOut
from optout.models.ledger import ConsentSource
from optout.tokens import Link
from profiles import merged
from tests.delivery import oracle
from tests.delivery.stage import (
    AGES,
    CHANNELS,
    MAILBOXES,
    MOMENTS,
    NOW,
    VALIDITY,
    Stage,
    analysed,
    crowded,
)

SEEDS = range(10)
PLANS = [
    oracle.Plan(channel=int(channel), at=NOW, service=service)
    for channel in CHANNELS
    for service in (None, *VALIDITY)
]


@dataclass(frozen=True)
class Before:
    """What was so of two people: what reached a mailbox, and what was stopped."""

    reached: frozenset[tuple[oracle.Plan, str]]
    stopped: frozenset[oracle.Plan]


def remembered(stage: Stage, *people: oracle.Person) -> Before:
    reached, stopped = set(), set()
    for plan in PLANS:
        for person in people:
            if oracle.local_reasons(stage.world, person, plan) == 0:
                reached.add((plan, person.preferred(plan.channel).mailbox))
            if person.is_opted_out(plan.channel) or _has_left(person, plan):
                stopped.add(plan)
    return Before(frozenset(reached), frozenset(stopped))


def _has_left(person: oracle.Person, plan: oracle.Plan) -> bool:
    if plan.service is None or plan.service not in person.subscriptions:
        return False
    since, lasts = person.subscriptions[plan.service], VALIDITY[plan.service]
    return since is None or (lasts is not None and plan.at >= since + lasts)


def is_reached(stage: Stage, person: oracle.Person, plan: oracle.Plan) -> bool:
    # As the only one in the target: who has an older twin is not stopped by that.
    listed = replace(plan, external_ids=frozenset({person.external_id}))
    return analysed(stage.make_delivery(listed)).get(person.id) == 0


def breaches() -> list[str]:
    """Merge two people of each crowd; name what the merge made reachable."""
    found = []
    for seed in SEEDS:
        with transaction.atomic():
            found += _breaches_of(seed)
            transaction.set_rollback(True)
    return found


def _breaches_of(seed: int) -> list[str]:
    stage, lots = crowded(seed), random.Random(seed)
    keep, lose = _two_of(stage, seed, lots)
    what = lots.choice(["email", "sms", *VALIDITY])
    _stop(stage, lots.choice([keep, lose]), what)
    before = remembered(stage, keep, lose)
    stage.merge(keep, lose)
    return _reached_again(stage, keep, before) + _survives_a_link(stage, keep, lose)


def _two_of(stage: Stage, seed: int, lots: random.Random) -> list[oracle.Person]:
    """Take two of the crowd, or two who come now, of whom one subscribes."""
    living = [each for each in stage.world.people if not each.is_erased]
    if seed % 2:
        return lots.sample([each for each in living if each.external_id], 2)
    people = [stage.arrive(name, "", MOMENTS[0]) for name in ("keep", "lose")]
    # Two mailboxes that no crowd has in quarantine.
    for person, mailbox in zip(people, MAILBOXES[:-3:-1], strict=True):
        stage.get_address(person, mailbox, spelling=0)
    stage.subscribe(people[1], "news", AGES[0])
    return people


def _stop(stage: Stage, person: oracle.Person, what: str) -> None:
    if what in VALIDITY:
        stage.unsubscribe(person, what)
    else:
        stage.opt_out(person, CHANNELS[what == "sms"])


def _reached_again(stage: Stage, keep: oracle.Person, before: Before) -> list[str]:
    found = []
    for plan in PLANS:
        if not is_reached(stage, keep, plan):
            continue
        mailbox = keep.preferred(plan.channel).mailbox
        if plan in before.stopped:
            found.append(f"stopped: {plan.channel} {plan.service}")
        if (plan, mailbox) not in before.reached:
            found.append(f"new: {plan.channel} {plan.service}")
    return found


def _survives_a_link(
    stage: Stage, keep: oracle.Person, lose: oracle.Person
) -> list[str]:
    """Press the links in old messages to the profile that is gone."""
    for channel in CHANNELS:
        link = Link(lose.id, channel, NOW)
        stopping.stop(link, source=ConsentSource.ONE_CLICK, language="", now=NOW)
    return ["link" for plan in PLANS if is_reached(stage, keep, plan)]


def test_promise_9_no_merge_reaches_anybody_whom_either_profile_stopped(db):
    assert breaches() == []


def test_sabotage_twin_flags_intersected_is_caught(db, monkeypatch):
    carry_out = merging._carry_out

    def intersect(planned, *, now):
        carry_out(replace(planned, new_opt_outs=[]), now=now)
        lost = [each.pk for each in planned.lost_opt_outs]
        OptOut.objects.filter(pk__in=lost).delete()

    monkeypatch.setattr(merging, "_carry_out", intersect)
    assert any(each.startswith("stopped") for each in breaches())


def test_sabotage_twin_flags_of_the_lost_one_forgotten_is_caught(db, monkeypatch):
    carry_out = merging._carry_out

    def forget(planned, *, now):
        carry_out(replace(planned, new_opt_outs=[]), now=now)

    monkeypatch.setattr(merging, "_carry_out", forget)
    assert any(each.startswith("stopped") for each in breaches())


def test_sabotage_twin_subscription_kept_alive_is_caught(db, monkeypatch):
    def alive(kept, lost, keep, addresses):
        result = kept or lost
        result.unsubscribed_at = None
        return SubscriptionLine(kept, lost, result)

    monkeypatch.setattr(merging, "_subscription_line", alive)
    assert any(each.startswith("stopped") for each in breaches())


def test_sabotage_twin_subscription_in_another_mailbox_is_caught(db, monkeypatch):
    monkeypatch.setattr(
        merging, "_is_mailbox_theirs", lambda keep, channel, addresses: True
    )
    assert any(each.startswith("new") for each in breaches())


def test_sabotage_twin_address_of_the_lost_one_preferred_is_caught(db, monkeypatch):
    lines = merging._address_lines

    def preferred(keep, lose):
        keep.addresses.update(is_preferred=False)
        return lines(keep, lose)

    monkeypatch.setattr(merging, "_address_lines", preferred)
    # Nothing is reached that was not: but not where the operator was told.
    stage = crowded(3)
    people = [each for each in stage.world.people if not each.is_erased]
    stage.merge(people[0], people[1])
    assert any(stage.disagreement(plan) for plan in PLANS)


def test_sabotage_twin_link_of_the_lost_one_dead_is_caught(db, monkeypatch):
    dead = flagging._RAISE_ONE.replace("COALESCE(merged_into_id, id)", "id")
    monkeypatch.setattr(flagging, "_RAISE_ONE", dead)
    monkeypatch.setattr(merged, "living_ids", lambda ids: {each: each for each in ids})
    assert "link" in breaches()
