"""Draw docs/reference from the code: `make docs`. With --check, say what is stale.

Usage: python docs/draw.py [--check]
"""

import os
import secrets
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs/reference"
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "campaign.settings"
# Nothing here signs, digests or reads a database.
for secret in ("SECRET_KEY", "ADDRESS_DIGEST_KEY"):
    os.environ[secret] = secrets.token_urlsafe(48)
os.environ["PUBLIC_LINK_KEYS"] = f"1={secrets.token_urlsafe(32)}"

import django  # noqa: E402

django.setup()

import draw_qualification  # noqa: E402

from campaign import acts  # noqa: E402
from delivery import eligibility, explanation, lifecycle, roles  # noqa: E402
from delivery.states import (  # noqa: E402
    TERMINAL,
    ExclusionReason,
    MessageStatus,
)
from quarantine import transitions  # noqa: E402
from quarantine.reasons import EXCLUDING, Event, Status  # noqa: E402

DRAWN = "Drawn from the code by `make docs`; `make check` fails when it is stale.\n"
MACHINE_EVENTS = (
    Event.HARD_ERROR,
    Event.SOFT_ERROR,
    Event.SOFT_LIMIT,
    Event.UNSURE_ERROR,
    Event.UNSURE_CONFIRMED,
    Event.OWNER_CHANGED,
    Event.SUCCESS,
    Event.COMPLAINT,
    Event.STOP,
    Event.START,
    Event.RELEASE,
    Event.EXPIRE,
    Event.PROVISIONAL_DISCARDED,
    Event.RELEASE_UNDONE,
)
ELIGIBILITY = f"""\
# Who is excluded, and why

{DRAWN}
The analysis asks these rules in this order of every targeted profile. All reasons of
rules 1 to 10 that apply are logged; the first one is the primary reason, and it is the
one that is counted. Rules 11 to 14 are asked only of those whom no earlier rule
excluded, so at most one of them applies.

Only the preferred address of the delivery's channel counts, never another one.
Of profiles with one address, the oldest keeps it: by creation, then external id (by
code point, those without one last), then the order in which they came into the
database. An allowlisted address passes rule 8.

| rule | bit | code | meaning | asked now | what lets the person be reached |
|---:|---:|---|---|---|---|
"""
STATES = f"""\
# States of a quarantined address

{DRAWN}
Quarantine belongs to an address, whichever profiles carry it. No delivery reaches an
address that is {{excluding}}.

The drawing shows what mail servers, people and time do to an address; the table has
every event, with those of operators and files. Of addresses in quarantine, `expire`
releases only full mailboxes; erroneous ones it makes valid again whatever the reason.

"""
DELIVERY = f"""\
# States of a delivery, and of its messages

{DRAWN}
What is confirmed is what was analysed: a change of content, audience or schedule makes
a draft again. Pausing and cancelling count for every message that has not started.

"""
MESSAGES = """
## Messages

A part of a delivery is leased to one worker at a time, which decides nothing. The gate
decides: it moves one message to `sending`, or to `excluded` when its person or address
must not be written to any more. Whoever is not reached in the end has one of the states
that end.

| code | state | ends |
|---|---|---|
"""
ROLES = f"""\
# Who may do what

{DRAWN}
Six groups are shipped. They are what is written here after every `migrate`: for other
rights make a group of your own; an account can be in several. `tests/test_roles.py`
tries every role on every line.

"""
ROLE_RULES = """
Within a page, three rights go by the number or the kind of what is asked:

- Opting in: an operator one person at a time, with a reason and evidence; many at once
  only by reversing a burst, which is compliance.
- Releasing: an operator one address at a time, compliance many; denylisted ones only
  compliance.
- Files: an operator sees what a file would do (dry run); compliance has it written.

Full addresses are for operators and compliance, and each page with them is recorded.
Everybody else sees `a•••@example.com`.

## Every page

`see` is opening the page, `do` is what its buttons send. Acts marked `*` take the
password again when it was typed more than ten minutes ago (`**`: of many at once).

"""


def main(arguments: list[str]) -> int:
    stale = []
    for name, text in (
        ("eligibility.md", draw_eligibility()),
        ("quarantine-states.md", draw_quarantine()),
        ("delivery-states.md", draw_delivery()),
        ("bounce-qualification.md", draw_qualification.draw(DRAWN)),
        ("roles.md", draw_roles()),
    ):
        path = REFERENCE / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")

    if stale and "--check" in arguments:
        print(f"Stale: {', '.join(stale)}. Run `make docs`.", file=sys.stderr)
        return 1
    return 0


def draw_eligibility() -> str:
    asked = {rule.reason for rule in eligibility.RULES}
    asked.add(ExclusionReason.DUPLICATE_ADDRESS)
    rows = [
        f"| {reason.value} | {reason.bit} | `{reason.code}` | {reason.label}"
        f" | {'yes' if reason in asked else 'no'}"
        f" | {explanation.CURES.get(reason, '')} |\n"
        for reason in ExclusionReason
    ]
    return ELIGIBILITY + "".join(rows)


def draw_quarantine() -> str:
    excluding = " or ".join(f"`{status.code}`" for status in sorted(EXCLUDING))
    return (
        STATES.format(excluding=excluding)
        + draw_states()
        + "\n## Every event\n\n"
        + "`=` nothing changes; `refused` is answered with a sentence.\n\n"
        + draw_table()
    )


def draw_delivery() -> str:
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for state, events in lifecycle.TABLE.items():
        for event, target in events.items():
            arrows[(state, target)].append(event.name.lower())
    lines = [
        f"    {start} --> {end}: {', '.join(events)}\n"
        for (start, end), events in arrows.items()
    ]
    rows = [
        f"| `{status.code}` | {status.label}"
        f" | {'yes' if status in TERMINAL else 'no'} |\n"
        for status in MessageStatus
    ]
    return (
        DELIVERY
        + "```mermaid\nstateDiagram-v2\n    [*] --> draft\n"
        + "".join(lines)
        + "```\n"
        + MESSAGES
        + "".join(rows)
    )


def draw_roles() -> str:
    purposes = "".join(
        f"- **{role.value}**: {purpose}\n" for role, purpose in roles.PURPOSES.items()
    )
    rights = sorted({right for each in roles.RIGHTS.values() for right in each})
    return (
        ROLES
        + purposes
        + ROLE_RULES
        + role_table(
            "page", [(name, cells_of(each)) for name, each in acts.DOORS.items()]
        )
        + "\nEvery other page of the records is for superusers only.\n"
        + "\n## Every right\n\n"
        + role_table(
            "right",
            [
                (right, ["yes" if right in roles.RIGHTS[r] else "" for r in roles.Role])
                for right in rights
            ],
        )
    )


def cells_of(door: acts.Door) -> list[str]:
    mark = "" if not door.asks else "**" if door.asks_if_many else "*"
    see_mark, do_mark = (mark, "") if door.asks == "GET" else ("", mark)
    cells = []
    for letter in acts.LETTERS:
        words = [f"see{see_mark}"] if letter in (door.look or "") else []
        words += [f"do{do_mark}"] if letter in (door.act or "") else []
        cells.append(" ".join(words).replace("*", "\\*"))
    return cells


def role_table(first: str, rows: list[tuple[str, list[str]]]) -> str:
    heads = [first, *(role.value for role in roles.Role)]
    text = "| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|\n"
    for name, cells in rows:
        text += f"| `{name}` | " + " | ".join(cells) + " |\n"
    return text


def draw_states() -> str:
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (state, event), cell in transitions.TABLE.items():
        if event in MACHINE_EVENTS and isinstance(cell, Status) and cell != state:
            arrows[(name_of(state), cell.code)].append(event.value)
    lines = [
        f"    {start} --> {end}: {', '.join(events)}\n"
        for (start, end), events in arrows.items()
    ]
    return "```mermaid\nstateDiagram-v2\n" + "".join(lines) + "```\n"


def draw_table() -> str:
    heads = ["no row", *(status.code for status in Status)]
    text = "| event | " + " | ".join(heads) + " |\n"
    text += "|---" * (len(heads) + 1) + "|\n"
    for event in transitions.ADDRESS_EVENTS:
        cells = [transitions.TABLE[state, event] for state in transitions.STATES]
        text += f"| `{event}` | " + " | ".join(map(written, cells)) + " |\n"
    return text


def name_of(state: Status | None) -> str:
    return "[*]" if state is None else state.code


def written(cell: transitions.Cell) -> str:
    if isinstance(cell, Status):
        return cell.code
    return "=" if cell is transitions.KEEP else "refused"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
