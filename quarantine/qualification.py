"""Qualification: from what a server said to what it means for the address. Pure."""

from dataclasses import dataclass

from quarantine.reasons import ErrorType, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Qualification:
    """What one reply or report makes of an address.

    `weight` is how many significant errors a soft one counts as: two for a mailbox
    that is full for good (5.2.2). `code` is the enhanced code it was decided by.
    """

    verdict: Verdict
    reason: Reason
    weight: int = 1
    code: str = ""

    @property
    def error_type(self) -> ErrorType:
        return self.verdict.error_type

    @property
    def is_to_be_confirmed(self) -> bool:
        return self.verdict == Verdict.UNSURE
