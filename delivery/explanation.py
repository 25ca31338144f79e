"""Why a person was, or was not, contacted: every rule with its answer.

Evaluates delivery.eligibility for one profile and any delivery, as things are now,
and sets beside it what the last analysis logged. Each rule that excludes says what
would have to happen for the person to be reached.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery import eligibility
from delivery.eligibility import Sql
from delivery.models import Delivery, Message
from delivery.states import ExclusionReason
from optout.models import OptOut, Subscription
from profiles.channels import ANY_CHANNEL
from profiles.models import Address, Profile
from quarantine.models import QuarantinedAddress


class Answer(StrEnum):
    """What a rule says of a profile."""

    EXCLUDED = "excluded"
    PASSED = "passed"
    NOT_APPLICABLE = "not_applicable"


class Outcome(StrEnum):
    """What would become of a profile if the delivery were analysed now."""

    TO_SEND = "to_send"
    EXCLUDED = "excluded"
    NOT_TARGETED = "not_targeted"


@dataclass(frozen=True)
class RuleAnswer:
    """One rule's answer; `fact` says what is known, `cure` what would change it."""

    reason: ExclusionReason
    answer: Answer
    fact: str = ""
    cure: str = ""

    @property
    def is_excluding(self) -> bool:
        return self.answer == Answer.EXCLUDED


@dataclass(frozen=True)
class Explanation:
    """Every rule's answer for one profile, and what the last analysis logged."""

    profile: Profile
    delivery: Delivery
    outcome: Outcome
    rules: list[RuleAnswer]
    logged: Message | None

    @property
    def primary_reason(self) -> ExclusionReason | None:
        """Give the reason that counts: the first in rule order."""
        excluding = (each.reason for each in self.rules if each.is_excluding)
        return next(excluding, None)


CURES = {
    ExclusionReason.ADDRESS_NOT_SPECIFIED: gettext_lazy(
        "Give the profile an address on this channel."
    ),
    ExclusionReason.BAD_QUALITY_ADDRESS: gettext_lazy(
        "Correct the preferred address, or make another one preferred."
    ),
    ExclusionReason.OPTED_OUT_ANY: gettext_lazy(
        "The person opts in again, or an operator with the right lifts the opt-out"
        " from every channel with a reason and evidence."
    ),
    ExclusionReason.OPTED_OUT_CHANNEL: gettext_lazy(
        "The person opts in again, or an operator with the right lifts the opt-out"
        " from this channel with a reason and evidence."
    ),
    ExclusionReason.NOT_SUBSCRIBED: gettext_lazy(
        "The person subscribes to the service, or somebody with the right subscribes"
        " them with a reason and evidence."
    ),
    ExclusionReason.QUARANTINED_ADDRESS: gettext_lazy(
        "Release the address from quarantine with a reason, or give the profile"
        " another address."
    ),
    ExclusionReason.DENYLISTED_ADDRESS: gettext_lazy(
        "Somebody with the right releases the address with a reason, or the profile"
        " gets another address."
    ),
    ExclusionReason.SUPPRESSED_ADDRESS: gettext_lazy(
        "Remove the domain from the block list, or allowlist the address."
    ),
    ExclusionReason.OPTED_OUT_OTHER_PROFILE: gettext_lazy(
        "The opt-out on the other profile ends, or the delivery stops excluding"
        " addresses that opted out on another profile."
    ),
    ExclusionReason.DUPLICATE_ADDRESS: gettext_lazy(
        "Nothing: the older profile with this address gets the message."
    ),
}


# The rules and the facts are asked one after the other.
CHANGED = gettext_lazy("This changed at this very moment. Ask again.")


def explain(profile: Profile, delivery: Delivery, *, now: datetime) -> Explanation:
    """Evaluate every rule for one profile and one delivery, as things are now."""
    is_targeted = _is_targeted(profile, delivery)
    bits = _local_bits(profile, delivery, now)
    if is_targeted and bits == 0 and _loses_its_address(profile, delivery, now):
        bits = ExclusionReason.DUPLICATE_ADDRESS.bit
    facts = _Facts(profile, delivery)
    rules = [
        _answer(reason, bits=bits, facts=facts, is_targeted=is_targeted)
        for reason in ExclusionReason
    ]
    return Explanation(
        profile=profile,
        delivery=delivery,
        outcome=_outcome(bits, is_targeted=is_targeted),
        rules=rules,
        logged=_logged(profile, delivery),
    )


def _outcome(bits: int, *, is_targeted: bool) -> Outcome:
    if not is_targeted:
        return Outcome.NOT_TARGETED
    return Outcome.EXCLUDED if bits else Outcome.TO_SEND


def _answer(
    reason: ExclusionReason, *, bits: int, facts: "_Facts", is_targeted: bool
) -> RuleAnswer:
    if not eligibility.is_evaluated(reason, facts.delivery):
        return RuleAnswer(
            reason,
            Answer.NOT_APPLICABLE,
            _("This delivery does not ask for this rule."),
        )
    if bits & reason.bit:
        return RuleAnswer(
            reason, Answer.EXCLUDED, facts.why(reason), str(CURES[reason])
        )
    if reason == ExclusionReason.DUPLICATE_ADDRESS and (bits or not is_targeted):
        return RuleAnswer(
            reason,
            Answer.NOT_APPLICABLE,
            _("Only asked for targeted profiles that no earlier rule excludes."),
        )
    return RuleAnswer(reason, Answer.PASSED)


def _is_targeted(profile: Profile, delivery: Delivery) -> bool:
    target = eligibility.target(delivery)
    sql = (
        f"SELECT 1 FROM profiles_profile WHERE profiles_profile.id = {profile.pk:d}"
        f" AND {target.text}"
    )
    return bool(_fetch(Sql(sql, target.params)))


def _local_bits(profile: Profile, delivery: Delivery, now: datetime) -> int:
    itself = Sql(f"profiles_profile.id = {profile.pk:d}")
    evaluated = eligibility.evaluated(delivery, now=now, within=itself)
    rows = _fetch(Sql(f"SELECT reasons FROM ({evaluated.text}) one", evaluated.params))
    return int(rows[0][0])


def _loses_its_address(profile: Profile, delivery: Delivery, now: datetime) -> bool:
    own = (
        "twin.digest IN (SELECT own.digest FROM profiles_address own"
        f" WHERE own.profile_id = {profile.pk:d})"
    )
    losers = eligibility.duplicates(delivery, now=now, among=Sql(own))
    return any(row[0] == profile.pk for row in _fetch(losers))


def _logged(profile: Profile, delivery: Delivery) -> Message | None:
    if delivery.current_analysis_id is None:
        return None
    return Message.objects.filter(
        analysis_id=delivery.current_analysis_id, profile_id=profile.pk
    ).first()


def _fetch(sql: Sql) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.text, sql.params)
        return list(cursor.fetchall())


class _Facts:
    """What is known of a profile, in sentences: one for each reason that excludes."""

    def __init__(self, profile: Profile, delivery: Delivery) -> None:
        self.profile = profile
        self.delivery = delivery
        self.address = Address.objects.filter(
            profile=profile, channel=delivery.channel, is_preferred=True
        ).first()

    def why(self, reason: ExclusionReason) -> str:
        sentences = {
            ExclusionReason.ADDRESS_NOT_SPECIFIED: self._no_address,
            ExclusionReason.BAD_QUALITY_ADDRESS: self._bad_address,
            ExclusionReason.OPTED_OUT_ANY: self._opted_out_any,
            ExclusionReason.OPTED_OUT_CHANNEL: self._opted_out_channel,
            ExclusionReason.NOT_SUBSCRIBED: self._not_subscribed,
            ExclusionReason.QUARANTINED_ADDRESS: self._known_address,
            ExclusionReason.DENYLISTED_ADDRESS: self._known_address,
            ExclusionReason.SUPPRESSED_ADDRESS: self._blocked_domain,
            ExclusionReason.OPTED_OUT_OTHER_PROFILE: self._other_profile,
            ExclusionReason.DUPLICATE_ADDRESS: self._older_profile,
        }
        return sentences[reason]()

    def _no_address(self) -> str:
        return _("The profile has no address on the channel %(channel)s.") % {
            "channel": self.delivery.get_channel_display()
        }

    def _bad_address(self) -> str:
        return _("Nothing can be sent to an address written like this.")

    def _opted_out_any(self) -> str:
        return self._opted_out(ANY_CHANNEL)

    def _opted_out_channel(self) -> str:
        return self._opted_out(self.delivery.channel)

    def _opted_out(self, channel: int) -> str:
        flag = OptOut.objects.filter(profile=self.profile, channel=channel).first()
        if flag is None:
            return str(CHANGED)
        return _("Opted out on %(day)s.") % {"day": _day(flag.opted_out_at)}

    def _not_subscribed(self) -> str:
        service = self.delivery.service
        row = Subscription.objects.filter(profile=self.profile, service=service).first()
        if row is None:
            return _("Never subscribed to “%(service)s”.") % {"service": service}
        if row.unsubscribed_at is not None:
            return _("Unsubscribed from “%(service)s” on %(day)s.") % {
                "service": service,
                "day": _day(row.unsubscribed_at),
            }
        if row.expires_at is None:
            return str(CHANGED)
        return _("The subscription to “%(service)s” expired on %(day)s.") % {
            "service": service,
            "day": _day(row.expires_at),
        }

    def _known_address(self) -> str:
        known = (
            QuarantinedAddress.objects.filter(
                channel=self.delivery.channel, digest=self.address.digest
            ).first()
            if self.address
            else None
        )
        if known is None:
            return str(CHANGED)
        return _("%(status)s since %(day)s: %(reason)s.") % {
            "status": known.get_status_display(),
            "day": _day(known.updated_at),
            "reason": known.get_reason_display(),
        }

    def _blocked_domain(self) -> str:
        if self.address is None:
            return str(CHANGED)
        return _("The domain %(domain)s, or one above it, is on the block list.") % {
            "domain": self.address.domain
        }

    def _other_profile(self) -> str:
        return _("Another profile with this address is opted out.")

    def _older_profile(self) -> str:
        return _("An older profile in the target has the same address.")


def _day(moment: datetime) -> str:
    return date_format(moment, "Y-m-d")
