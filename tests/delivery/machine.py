"""A Hypothesis machine that changes the world and compares us with the oracle.

After each step an analysis must say what the oracle says; so must, whenever the
machine asks, the explanation of a person.
"""

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from delivery import explanation
from profiles.models import Profile
from quarantine.reasons import Status
from tests.delivery import oracle
from tests.delivery.stage import (
    AGES,
    CHANNELS,
    DOMAINS,
    EXTERNAL_IDS,
    FLAGS,
    INVALID,
    MAILBOXES,
    MOMENTS,
    NOW,
    NUMBERS,
    VALIDITY,
    Stage,
)

flags = st.sampled_from(FLAGS)
services = st.sampled_from(list(VALIDITY))
spellings = st.integers(0, 1)
arrivals = {
    "external_id": st.sampled_from(EXTERNAL_IDS),
    "country": st.sampled_from(["SE", ""]),
    "created_at": st.sampled_from(MOMENTS),
}


@st.composite
def plans(draw):
    """Draw a delivery: any channel, audience and option."""
    some_ids = st.frozensets(st.sampled_from(["A", "B", "a", "Å"]), min_size=1)
    listed = draw(st.none() | some_ids)
    return oracle.Plan(
        channel=int(draw(st.sampled_from(CHANNELS))),
        external_ids=listed,
        country=draw(st.none() | st.just("SE")) if listed is None else None,
        excludes_shared_opt_outs=draw(st.booleans()),
        service=draw(st.none() | services),
        at=NOW,
    )


class EligibilityMachine(RuleBasedStateMachine):
    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.plan = oracle.Plan(channel=0)
        self._transaction = transaction.atomic()
        self._transaction.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    @initialize(
        target=people, many=st.lists(st.fixed_dictionaries(arrivals), min_size=3)
    )
    def several_arrive(self, many):
        return multiple(*(self.stage.arrive(**each) for each in many[:6]))

    @rule(target=people, **arrivals)
    def arrives(self, external_id, country, created_at):
        return self.stage.arrive(external_id, country, created_at)

    @rule(
        person=people,
        mailbox=st.sampled_from([*MAILBOXES, *NUMBERS, *INVALID]),
        spelling=spellings,
    )
    def gets_address(self, person, mailbox, spelling):
        self.stage.get_address(person, mailbox, spelling=spelling)

    @rule(
        person=people,
        mailbox=st.sampled_from([*MAILBOXES, *NUMBERS, *INVALID]),
        spelling=spellings,
        flag=st.none() | flags,
    )
    def is_imported(self, person, mailbox, spelling, flag):
        self.stage.import_row(person, mailbox, spelling=spelling, flag=flag)

    @rule(person=people, channel=flags)
    def opts_out(self, person, channel):
        self.stage.opt_out(person, channel)

    @rule(person=people, channel=flags)
    def opts_in(self, person, channel):
        self.stage.opt_in(person, channel)

    @rule(person=people, service=services, age=st.sampled_from(AGES))
    def subscribes(self, person, service, age):
        self.stage.subscribe(person, service, age)

    @rule(person=people, service=services)
    def unsubscribes(self, person, service):
        self.stage.unsubscribe(person, service)

    @rule(
        mailbox=st.sampled_from([*MAILBOXES[:4], *NUMBERS]),
        spelling=spellings,
        status=st.sampled_from(Status),
    )
    def address_gets_status(self, mailbox, spelling, status):
        self.stage.set_status(mailbox, spelling, status)

    @rule(domain=st.sampled_from(DOMAINS))
    def domain_is_blocked(self, domain):
        self.stage.block(domain)

    @rule(domain=st.sampled_from(DOMAINS))
    def domain_is_unblocked(self, domain):
        self.stage.unblock(domain)

    @rule(person=people)
    def is_erased(self, person):
        self.stage.erase(person)

    @rule(keep=people, lose=people)
    def are_merged(self, keep, lose):
        self.stage.merge(keep, lose)

    @rule(plan=plans())
    def another_delivery(self, plan):
        self.plan = plan

    @rule(person=people)
    def explanation_agrees_with_the_oracle(self, person):
        expected = oracle.analyse(self.stage.world, self.plan)
        profile = Profile.objects.get(pk=person.id)
        explained = explanation.explain(
            profile, self.stage.make_delivery(self.plan), now=NOW
        )
        if person.id in expected:
            bits = sum(each.reason.bit for each in explained.rules if each.is_excluding)
            assert bits == expected[person.id]
            assert explained.outcome == ("excluded" if bits else "to_send")
        else:
            assert explained.outcome == "not_targeted"

    @invariant()
    def analysis_agrees_with_the_oracle(self):
        assert self.stage.disagreement(self.plan) == {}
