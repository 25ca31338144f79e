"""How replies and reports are qualified, as a page of docs/reference."""

from collections.abc import Iterable

from quarantine import qualification, qualification_texts
from quarantine.reasons import Reason, Verdict

CLASSES = {
    Verdict.HARD: "The address goes to quarantine now.",
    Verdict.UNSURE: "It goes there when a second one, 24 hours later, confirms it.",
    Verdict.OWNER_CHANGED: "It goes there, and consents given for it end.",
    Verdict.SOFT: "It counts; the fifth significant one puts it there.",
    Verdict.TRANSIENT: "It is tried again, and does not count.",
    Verdict.POLICY: "It says something of us; the address is innocent.",
    Verdict.OURS: "It is our own fault: authentication, settings or quota.",
    Verdict.CONTENT: "The message was too large, or its content was refused.",
    Verdict.IGNORED: "Nothing follows.",
}
PAGE = """\
# What becomes of a bounce

{drawn}
A server says why it refuses a message: in a reply while it is sent, or in a report that
comes later. Asked are, in this order, the enhanced code in its words, the Status of the
report, the basic reply, and the words themselves. When the basic reply and the enhanced
code disagree on whether to try again, the basic reply decides. Try it with
`manage.py qualify_bounces PATH`.

## Classes

| class | type | what follows |
|---|---|---|
{classes}
## Permanent codes

The first digit of these is 5; `x` stands for every detail that has no row of its own. A
basic reply of 521 or 556 without a code that says more is `5.1.10`. Codes that say
nothing leave it to the words; without any, the error is soft, never hard: {nothing}.

| code | class | reason |
|---|---|---|
{codes}
A code that begins with 4 is temporary while a message is sent, and does not count. In a
report that says `failed` it was given up after days: soft. Codes of our own stay so.

## Words

Families are asked in this order; the first that is found counts. A strong one is
believed against a code that speaks of something else: words that make the address
innocent against a code that blames it, and words that say nobody is there against a
code of policy or of nothing.

| family | class | reason | strong | phrases | such as |
|---|---|---|---|---:|---|
{families}
## Stages

While we send, how far the dialogue had come decides with the code. What is refused
before the recipient is named is our own fault, or policy. At the recipient it is of the
address, unless nothing says so. After the message it is of the content, or policy,
unless the code is 5.1.x or 5.2.x or the mailbox is full.
"""


def draw(drawn: str) -> str:
    return PAGE.format(
        drawn=drawn,
        classes=_rows(
            (_code(each), each.error_type.value, follows)
            for each, follows in CLASSES.items()
        ),
        nothing=", ".join(
            f"`5.{subject}`"
            for subject in sorted(qualification.SAYS_NOTHING)
            if subject
        ),
        codes=_rows(
            (f"`5.{subject}`", _code(verdict), _code(reason))
            for subject, (verdict, reason) in sorted(_codes(), key=_order)
        ),
        families=_rows(
            (
                _code(family.name),
                _code(family.verdict),
                _code(family.reason),
                "yes" if family.is_strong else "no",
                str(len(family.phrases)),
                "; ".join(f"“{' … '.join(each)}”" for each in family.phrases[:3]),
            )
            for family in qualification_texts.FAMILIES
        ),
    )


def _codes() -> list[tuple[str, tuple[Verdict, Reason]]]:
    return [
        (subject if "." in subject else f"{subject}.x", rule)
        for subject, rule in qualification.CODES.items()
    ]


def _order(row: tuple[str, object]) -> tuple[int, int]:
    subject, _, detail = row[0].partition(".")
    return int(subject), 1_000 if detail == "x" else int(detail)


def _code(value: str) -> str:
    return f"`{value}`"


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
