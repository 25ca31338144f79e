"""States, events and reasons of quarantined addresses. No imports from our own apps."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Status(IntegerChoices):
    """What is known of an address, whoever owns it."""

    VALID = 0, _("Valid")
    ALLOWLISTED = 1, _("Allowlisted")
    ERRONEOUS = 2, _("Erroneous")
    QUARANTINE = 3, _("Quarantine")
    DENYLISTED = 4, _("Denylisted")

    @property
    def code(self) -> str:
        """Give the name that files use, such as `denylisted`."""
        return self.name.lower()


# How much a status protects; an address without a row protects as little as a valid
# one. Import and conflict keep the stronger (promise 9).
STRENGTH = {
    None: 0,
    Status.VALID: 0,
    Status.ALLOWLISTED: 0,
    Status.ERRONEOUS: 1,
    Status.QUARANTINE: 2,
    Status.DENYLISTED: 3,
}

# Statuses that exclude an address from deliveries.
EXCLUDING = frozenset({Status.QUARANTINE, Status.DENYLISTED})
# Statuses in which errors are counted.
COUNTING = frozenset({Status.VALID, Status.ERRONEOUS})


class Reason(TextChoices):
    """Why an address has its status."""

    NONE = "", _("No reason given")
    USER_UNKNOWN = "user_unknown", _("User unknown")
    INVALID_DOMAIN = "invalid_domain", _("Invalid domain")
    UNREACHABLE = "unreachable", _("Unreachable")
    ACCOUNT_DISABLED = "account_disabled", _("Account disabled")
    MAILBOX_FULL = "mailbox_full", _("Mailbox full")
    NOT_CONNECTED = "not_connected", _("Not connected")
    REFUSED = "refused", _("Refused")
    NOT_DEFINED = "not_defined", _("Not defined")
    ERROR_IGNORED = "error_ignored", _("Error ignored")
    COMPLAINT = "complaint", _("Complaint")
    STOP = "stop", _("STOP by SMS")
    OWNER_CHANGED = "owner_changed", _("Owner changed")
    LISTED = "listed", _("Listed")
    # Set by erasure only, never read from a file.
    ERASED = "erased", _("Person erased")


class ErrorType(TextChoices):
    """How lasting an error is, in the words of the field."""

    HARD = "hard", _("Hard")
    SOFT = "soft", _("Soft")
    IGNORED = "ignored", _("Ignored")


class Verdict(TextChoices):
    """What a reply or report makes of an address, finer than the error type.

    The classes of the table in quarantine.qualification, which says what each is.
    """

    HARD = "hard", _("Hard at once")
    # Hard only when a second one confirms it after 24 hours: hosts have outages.
    UNSURE = "unsure", _("Hard when confirmed")
    # The mailbox or its domain belongs to somebody else now (RFC 7293).
    OWNER_CHANGED = "owner_changed", _("Owner changed")
    SOFT = "soft", _("Soft, counts")
    TRANSIENT = "transient", _("Temporary, does not count")
    # Of the following the address is innocent.
    POLICY = "policy", _("Refused by policy")
    OURS = "ours", _("Our own fault")
    CONTENT = "content", _("Content or size")
    IGNORED = "ignored", _("Ignored")

    @property
    def error_type(self) -> ErrorType:
        if self in {Verdict.HARD, Verdict.UNSURE, Verdict.OWNER_CHANGED}:
            return ErrorType.HARD
        if self in {Verdict.SOFT, Verdict.TRANSIENT}:
            return ErrorType.SOFT
        return ErrorType.IGNORED


class Source(TextChoices):
    """Who or what put an address into its status."""

    OPERATOR = "operator", _("Operator")
    IMPORT = "import", _("Import")
    BOUNCE = "bounce", _("Bounce")
    COMPLAINT = "complaint", _("Complaint")
    KEYWORD = "keyword", _("Keyword by SMS")
    ERASURE = "erasure", _("Erasure")
    CLEANING = "cleaning", _("Nightly cleaning")
    REPORT = "report", _("Delivery report")


class Event(TextChoices):
    """What can happen to an address; see quarantine.transitions for what follows."""

    HARD_ERROR = "hard_error", _("Hard error")
    SOFT_ERROR = "soft_error", _("Soft error")
    # The soft error that reaches the limit.
    SOFT_LIMIT = "soft_limit", _("Soft error, limit reached")
    # One that may be an outage of the host; a second one confirms it.
    UNSURE_ERROR = "unsure_error", _("Hard error, to be confirmed")
    UNSURE_CONFIRMED = "unsure_confirmed", _("Hard error, confirmed")
    # A hard error of an address that time would release, which it then does not.
    HARDENED = "hardened", _("Hard error of an address with a full mailbox")
    OWNER_CHANGED = "owner_changed", _("Owner changed")
    SUCCESS = "success", _("Delivered")
    COMPLAINT = "complaint", _("Complaint")
    STOP = "stop", _("STOP by SMS")
    START = "start", _("START by SMS")
    LISTED_VALID = "listed_valid", _("Listed as valid")
    LISTED_ALLOWLISTED = "listed_allowlisted", _("Listed as allowlisted")
    LISTED_ERRONEOUS = "listed_erroneous", _("Listed as erroneous")
    LISTED_QUARANTINE = "listed_quarantine", _("Listed as quarantined")
    LISTED_DENYLISTED = "listed_denylisted", _("Listed as denylisted")
    PROFILE_QUARANTINED = "profile_quarantined", _("All addresses of a profile listed")
    IMPORT_VALID = "import_valid", _("Imported as valid")
    IMPORT_ALLOWLISTED = "import_allowlisted", _("Imported as allowlisted")
    IMPORT_ERRONEOUS = "import_erroneous", _("Imported as erroneous")
    IMPORT_QUARANTINE = "import_quarantine", _("Imported as quarantined")
    IMPORT_DENYLISTED = "import_denylisted", _("Imported as denylisted")
    RELEASE = "release", _("Released")
    EXPIRE = "expire", _("Expired")
    # Of many addresses of a domain that went into quarantine at the same time.
    HELD = "held", _("Held as provisional")
    PROVISIONAL_CONFIRMED = "provisional_confirmed", _("Provisional made definite")
    PROVISIONAL_DISCARDED = "provisional_discarded", _("Provisional discarded")
    RELEASE_UNDONE = "release_undone", _("Release undone")
    ERASE = "erase", _("Person erased")
    DOMAIN_BLOCKED = "domain_blocked", _("Domain blocked")
    DOMAIN_UNBLOCKED = "domain_unblocked", _("Domain unblocked")
    # What was reported and changed nothing: history only.
    ERROR_NOTED = "error_noted", _("Error that changed nothing")


# Events that count as an error of the address.
ERRORS = frozenset(
    {
        Event.HARD_ERROR,
        Event.SOFT_ERROR,
        Event.SOFT_LIMIT,
        Event.UNSURE_ERROR,
        Event.UNSURE_CONFIRMED,
        Event.HARDENED,
        Event.OWNER_CHANGED,
    }
)
# Reasons that an outage of a domain gives to addresses that are fine.
OUTAGE_REASONS = frozenset(
    {
        Reason.USER_UNKNOWN,
        Reason.INVALID_DOMAIN,
        Reason.UNREACHABLE,
        Reason.ACCOUNT_DISABLED,
        Reason.MAILBOX_FULL,
        Reason.NOT_CONNECTED,
        Reason.REFUSED,
        Reason.NOT_DEFINED,
    }
)
