"""Why a person was, or was not, contacted on a day that is over.

Two witnesses, side by side, and nothing that is guessed:
- the log of the delivery: what its analysis, or the gate, decided for this person,
  every rule, and each attempt. Sound for the moment of that analysis; only the log of
  the current analysis is kept, so one that came after the day says nothing of it;
- the ledger and the events of quarantine, read up to the end of the day. Sound for
  opt-outs (rules 3, 4), for subscriptions (5; not for their expiry when they were
  renewed since) and for the state of an address (6, 7).

What address was preferred, whether it was of bad quality, the block list, other
profiles with the address and the rest of the target are kept nowhere but in the log:
without it, rules 1, 2, 8, 9 and 11 can be answered for now only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from delivery import eligibility, proof
from delivery.explanation import Answer
from delivery.models import Attempt, Delivery, Message
from delivery.states import ExclusionReason
from optout.models import ConsentEvent, Subscription
from profiles.channels import ANY_CHANNEL
from profiles.models import Address, Profile
from quarantine.models import QuarantineEvent
from quarantine.reasons import Status


@dataclass(frozen=True)
class PastRule:
    """What is known of one rule: by the log, and by the end of the day; None: nothing.

    `fact` says what the second answer stands on, or why there is none.
    """

    reason: ExclusionReason
    logged: Answer | None
    rebuilt: Answer | None
    fact: str


@dataclass(frozen=True)
class PastExplanation:
    """What is known of one person, one delivery and the end of one day.

    `message` is the row of its log, when the analysis is not younger than the day;
    `is_later` says that there is only a younger one.
    """

    delivery: Delivery
    at: datetime
    message: Message | None
    attempts: list[Attempt]
    is_later: bool
    rules: list[PastRule]


def explain(profile: Profile, delivery: Delivery, day: date) -> PastExplanation:
    """Gather what is known of the end of a day, in the time zone at hand."""
    at = timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
    gone = Profile.objects.filter(merged_into=profile).values_list("pk", flat=True)
    ids = [profile.pk, *gone]
    analysis = delivery.current_analysis
    is_later = bool(analysis and analysis.finished_at and analysis.finished_at >= at)
    message = None if analysis is None or is_later else _message(analysis.pk, ids)
    rebuilt = _Rebuilt(profile, ids, delivery, at=at, message=message)
    return PastExplanation(
        delivery,
        at - timedelta(seconds=1),
        message,
        _attempts(message, at),
        is_later,
        [
            PastRule(
                reason, _logged(reason, delivery, message), *rebuilt.answer(reason)
            )
            for reason in ExclusionReason
            if eligibility.is_evaluated(reason, delivery) or _has_bit(message, reason)
        ],
    )


def _message(analysis_id: int, ids: Iterable[int]) -> Message | None:
    rows = Message.objects.filter(analysis_id=analysis_id, profile_id__in=list(ids))
    return rows.order_by("-attempt_count", "reasons", "profile_id").first()


def _attempts(message: Message | None, at: datetime) -> list[Attempt]:
    if message is None:
        return []
    rows = Attempt.objects.filter(
        analysis_id=message.analysis_id, profile_id=message.profile_id
    )
    return list(rows.filter(started_at__lt=at).order_by("number", "pk"))


def _has_bit(message: Message | None, reason: ExclusionReason) -> bool:
    return message is not None and bool(message.reasons & reason.bit)


def _logged(
    reason: ExclusionReason, delivery: Delivery, message: Message | None
) -> Answer | None:
    if message is None:
        return None
    if _has_bit(message, reason):
        return Answer.EXCLUDED
    analysis = delivery.current_analysis
    if analysis is None or analysis.version != delivery.version:
        # The options may have been others: only what it says is known.
        return None
    if reason == ExclusionReason.DUPLICATE_ADDRESS and message.reasons:
        return Answer.NOT_APPLICABLE
    return Answer.PASSED


class _Rebuilt:
    """The state of a person at the end of a day, out of what is only ever appended."""

    def __init__(
        self,
        profile: Profile,
        ids: list[int],
        delivery: Delivery,
        *,
        at: datetime,
        message: Message | None,
    ) -> None:
        self._delivery, self._at = delivery, at
        self._profile_id = message.profile_id if message else profile.pk
        events = ConsentEvent.objects.filter(profile_id__in=ids)
        self._events = list(events.filter(at__lt=at).order_by("pk"))
        words = proof.last_words(self._events)
        self._words = words.get(self._profile_id, {})
        self._is_renewed = events.filter(
            at__gte=at, service_id=delivery.service_id or 0
        ).exists()
        self._digest = message.digest if message else self._preferred(profile)
        self._is_of_log = message is not None
        self._status = self._status_then()

    def answer(self, reason: ExclusionReason) -> tuple[Answer | None, str]:
        """Give the answer of a rule and what it stands on."""
        if reason == ExclusionReason.OPTED_OUT_ANY:
            return self._opted_out(ANY_CHANNEL)
        if reason == ExclusionReason.OPTED_OUT_CHANNEL:
            return self._opted_out(self._delivery.channel)
        if reason == ExclusionReason.NOT_SUBSCRIBED:
            return self._subscribed()
        held = {
            ExclusionReason.QUARANTINED_ADDRESS: Status.QUARANTINE,
            ExclusionReason.DENYLISTED_ADDRESS: Status.DENYLISTED,
        }
        if reason in held:
            return self._held(held[reason])
        return None, _("Not kept: can be answered for now only.")

    def _opted_out(self, channel: int) -> tuple[Answer, str]:
        is_out = self._words.get((channel, None), False)
        return self._told(is_out=is_out, scope=(channel, None))

    def _subscribed(self) -> tuple[Answer | None, str]:
        scope = (None, self._delivery.service_id)
        if scope not in self._words:
            return Answer.EXCLUDED, _("The ledger has no subscription until then.")
        if self._words[scope]:
            return self._told(is_out=True, scope=scope)
        if self._is_renewed:
            return None, _(
                "Subscribed, says the ledger; whether that had expired is not kept."
            )
        row = Subscription.objects.filter(
            profile_id=self._profile_id, service_id=self._delivery.service_id or 0
        ).first()
        if row is not None and row.expires_at and row.expires_at <= self._at:
            return Answer.EXCLUDED, _("The subscription expired on %(day)s.") % {
                "day": date_format(row.expires_at, "Y-m-d")
            }
        return self._told(is_out=False, scope=scope)

    def _told(
        self, *, is_out: bool, scope: tuple[int | None, int | None]
    ) -> tuple[Answer, str]:
        answer = Answer.EXCLUDED if is_out else Answer.PASSED
        last = [
            each for each in self._events if (each.channel, each.service_id) == scope
        ]
        if not last:
            return answer, _("The ledger has no change until then.")
        return answer, _("Ledger, row %(number)d of %(day)s.") % {
            "number": last[-1].pk,
            "day": date_format(last[-1].at, "Y-m-d"),
        }

    def _held(self, status: Status) -> tuple[Answer | None, str]:
        if self._digest is None:
            return None, _("Not kept: which address was preferred.")
        answer = Answer.EXCLUDED if self._status == status else Answer.PASSED
        if self._is_of_log:
            return answer, _("Of the address in the log.")
        return answer, _("Of the address that is preferred now.")

    def _status_then(self) -> int | None:
        if self._digest is None:
            return None
        events = QuarantineEvent.objects.filter(
            channel=self._delivery.channel, digest=self._digest, at__lt=self._at
        )
        last = events.order_by("-at", "-pk").values_list("to_status", flat=True)
        return last.first()

    def _preferred(self, profile: Profile) -> UUID | None:
        own = Address.objects.filter(
            profile=profile, channel=self._delivery.channel, is_preferred=True
        )
        return own.values_list("digest", flat=True).first()
