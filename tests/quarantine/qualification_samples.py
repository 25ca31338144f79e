"""What servers say, in our own words, for every row of the table of codes.

Each row: what is said (diagnostic text, Status), and the verdict, reason and weight.
The last sample of a row contradicts it: its code is of the row, its meaning is not.
"""

from quarantine.reasons import Reason, Verdict

V, R = Verdict, Reason
HARD = (V.HARD, R.USER_UNKNOWN, 1)
NO_HOST = (V.UNSURE, R.INVALID_DOMAIN, 1)
OWNER = (V.OWNER_CHANGED, R.OWNER_CHANGED, 1)
DISABLED = (V.SOFT, R.ACCOUNT_DISABLED, 1)
FULL = (V.SOFT, R.MAILBOX_FULL, 1)
FULL_FOR_GOOD = (V.SOFT, R.MAILBOX_FULL, 2)
NOTHING = (V.SOFT, R.NOT_DEFINED, 1)
BUSY = (V.TRANSIENT, R.UNREACHABLE, 1)
SYSTEM = (V.TRANSIENT, R.NOT_DEFINED, 1)
POLICY = (V.POLICY, R.REFUSED, 1)
OURS = (V.OURS, R.REFUSED, 1)
CONTENT = (V.CONTENT, R.REFUSED, 1)
UNREACHABLE = (V.SOFT, R.UNREACHABLE, 1)

ROWS = {
    "nobody there": [
        ("550 5.1.1 No mailbox here goes by that name", "5.1.1", HARD),
        ("550 5.1.1 <anna@example.com>: user unknown", "5.0.0", HARD),
        ("Sorry, nobody answers to this name", "5.1.1", HARD),
        ("550 5.1.1 The account is disabled", "5.1.1", HARD),
        ("550 5.1.3 That is not how an address is written", "5.1.3", HARD),
        ("550 5.1.0 Unknown user", "5.1.0", HARD),
        ("550 5.1.6 She left no forwarding address", "5.1.6", HARD),
        ("550 5.1.1 The mailbox is full, write later", "5.1.1", FULL),
    ],
    "no such host": [
        ("550 5.1.2 We know no host of that name", "5.1.2", NO_HOST),
        ("554 5.4.4 Host or domain name not found", "5.4.4", NO_HOST),
        ("554 5.4.4 The domain does not exist, or could not be found", "", NO_HOST),
        ("550 5.4.310 The name of this domain is not there", "", NO_HOST),
        ("556 5.1.10 This domain has a null MX record", "5.1.10", NO_HOST),
        ("556 No mail is taken here", "", NO_HOST),
        ("521 This host never takes mail", "", NO_HOST),
        ("550 5.1.2 Sender address rejected: unknown domain", "5.1.2", OURS),
    ],
    "ambiguous": [
        (
            "550 5.1.4 Two people share this name",
            "5.1.4",
            (V.UNSURE, R.USER_UNKNOWN, 1),
        ),
        ("553 5.1.4 Which Smith?", "5.1.4", (V.UNSURE, R.USER_UNKNOWN, 1)),
        ("Not clear whom you mean", "5.1.4", (V.UNSURE, R.USER_UNKNOWN, 1)),
        ("550 5.1.4 User unknown", "5.1.4", HARD),
    ],
    "owner changed": [
        ("550 5.7.17 Mailbox owner has changed", "5.7.17", OWNER),
        ("550 5.7.18 Domain owner has changed", "5.7.18", OWNER),
        ("Somebody else has it now", "5.7.17", OWNER),
        ("550 5.7.1 RRVS validation failed for this address", "5.7.1", OWNER),
    ],
    "our sender": [
        ("501 5.1.7 Your return address is not well formed", "5.1.7", OURS),
        ("553 5.1.8 Nobody can answer to where you write from", "5.1.8", OURS),
        ("550 5.1.8 Sender domain does not resolve", "5.1.8", OURS),
        ("550 5.1.8 No such user here", "5.1.8", OURS),
    ],
    "5.2.1": [
        ("550 5.2.1 This account is disabled", "5.2.1", DISABLED),
        ("550 5.2.1 The account is inactive since spring", "5.2.1", DISABLED),
        ("550 5.2.1 The user is suspended", "5.2.1", DISABLED),
        ("550 5.2.1 This person gets mail too quickly now", "5.2.1", BUSY),
        ("550 5.2.122 We saw too many for this person", "", BUSY),
        ("550 5.2.1 Rate limit for this mailbox was reached", "5.2.1", BUSY),
        ("550 5.2.1 We cannot take it", "5.2.1", (V.UNSURE, R.USER_UNKNOWN, 1)),
        ("550 5.2.1 User unknown", "5.2.1", HARD),
    ],
    "full": [
        ("552 5.2.2 Over quota", "5.2.2", FULL_FOR_GOOD),
        ("552 5.2.2 The mailbox is full", "5.2.2", FULL_FOR_GOOD),
        ("There is no room left for you", "5.2.2", FULL_FOR_GOOD),
        ("452 4.2.2 Over quota", "4.2.2", FULL),
        ("552 4.2.2 Over quota", "4.2.2", FULL),
        ("552 5.2.2 No such user", "5.2.2", FULL_FOR_GOOD),
    ],
    "says nothing": [
        ("550 5.0.0", "5.0.0", NOTHING),
        ("550 5.2.0 It did not work out", "5.2.0", NOTHING),
        ("", "5.0.0", NOTHING),
        ("550 5.5.0 It did not work out", "5.5.0", NOTHING),
        ("550 5.0.0 No such user", "5.0.0", HARD),
        ("550 5.0.0 Your address is listed by a blocklist", "5.0.0", POLICY),
    ],
    "too big, or its content": [
        ("552 5.2.3 More than we take", "5.2.3", CONTENT),
        ("552 5.3.4 More than we take", "5.3.4", CONTENT),
        ("554 5.6.0 We cannot make sense of it", "5.6.0", CONTENT),
        ("554 5.6.3 A conversion was needed", "5.6.3", CONTENT),
        ("552 5.3.4 Mailbox is full", "5.3.4", FULL),
    ],
    "system and network": [
        ("554 5.3.0 Something broke", "5.3.0", SYSTEM),
        ("554 5.3.5 We are set up badly", "5.3.5", SYSTEM),
        ("554 5.4.6 It goes round and round", "5.4.6", BUSY),
        ("550 5.4.5 You reached what you may send in a day", "5.4.5", OURS),
        ("554 5.3.0 User unknown", "5.3.0", HARD),
    ],
    "protocol": [
        ("503 5.5.1 Say hello first", "5.5.1", OURS),
        ("500 5.5.2 What did you say?", "5.5.2", OURS),
        ("501 5.5.4 Not with that parameter", "5.5.4", OURS),
        ("550 5.5.0 No such mailbox", "5.5.0", HARD),
    ],
    "policy": [
        ("550 5.7.1 Refused by our policy", "5.7.1", POLICY),
        ("550 5.7.1 No", "5.7.1", POLICY),
        ("550 5.7.0 Looks like spam", "5.7.0", POLICY),
        ("550 5.7.28 Too much unwanted mail from you", "5.7.28", POLICY),
        ("550 5.7.606 Your address is banned", "5.7.606", POLICY),
        ("550 Blocked for its reputation", "", POLICY),
        ("550 5.7.1 Mailbox is full", "5.7.1", FULL),
    ],
    "authentication": [
        *(
            (f"550 5.7.{detail} You could not show who you are", "", OURS)
            for detail in (20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 32, 515)
        ),
        ("421 5.7.32 The sender could not be trusted", "5.7.32", OURS),
        ("550 5.7.1 The mail fails DMARC", "5.7.1", OURS),
        ("550 5.7.26 The mailbox owner has changed", "5.7.26", OURS),
    ],
    "account disabled": [
        ("550 5.7.13 Closed to this user", "5.7.13", DISABLED),
        ("525 5.7.13 User account disabled", "5.7.13", DISABLED),
        ("The account sleeps", "5.7.13", DISABLED),
        ("550 The account has been suspended", "", DISABLED),
    ],
    "given up after days": [
        ("451 4.4.7 Delivery time expired", "4.4.7", UNREACHABLE),
        ("connect to mx.example.com: Connection timed out", "4.4.1", UNREACHABLE),
        ("450 4.2.0 Try again in a while", "4.2.0", UNREACHABLE),
        ("451 4.3.0 Something broke", "4.3.0", NOTHING),
        ("450 4.1.1 User unknown", "4.1.1", NOTHING),
    ],
    "nothing lasting": [
        ("250 2.1.5 Taken", "2.1.5", (V.IGNORED, R.ERROR_IGNORED, 1)),
        ("", "2.0.0", (V.IGNORED, R.ERROR_IGNORED, 1)),
        ("", "", (V.IGNORED, R.ERROR_IGNORED, 1)),
    ],
    "no code at all": [
        ("No such user here", "", HARD),
        ("The mailbox is full", "", FULL),
        ("Refused by our policy", "", POLICY),
        ("It did not work out", "", (V.IGNORED, R.NOT_DEFINED, 1)),
    ],
    "two that disagree": [
        ("452 4.2.2 Over quota", "5.1.1", FULL),
        ("550 5.7.1 No", "5.1.1", POLICY),
        ("550 5.1.1 No such user", "4.4.7", HARD),
        ("550 5.0.0 It did not work out; 5.1.1", "5.0.0", HARD),
        ("451 5.1.1 No such user", "5.1.1", NOTHING),
    ],
}
SAMPLES = [
    (text, status, expected)
    for samples in ROWS.values()
    for text, status, expected in samples
]
