"""What a text message, or a reply by mail, says about getting more: STOP, START, HELP.

Privacy errs to stop, and an opt-in is never guessed (CTIA messaging principles; 47 CFR
64.1200(a)(10) on revoking by any reasonable means):
1. A text that is nothing but one of the words, with polite words around it, is meant.
2. A text that begins with a plain word for stopping is a stop, but for idioms.
3. A short text that holds such a word and speaks of messages is a stop, but for
   negations and idioms.
4. Anything else is for a person to read.

START counts only when it is the whole text. Pure functions: no database.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from optout import keyword_words as words
from optout.keyword_forms import exact_form, loose_form
from optout.mail_replies import own_part, own_subject

# Who writes more than this tells a story.
MOST_WORDS: Final = 12
_NEAR: Final = 2  # words between a negation and what it denies


class Intent(Enum):
    """What somebody wants."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    # It smells of a stop, and a person has to read it.
    MAYBE_STOP = "maybe_stop"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text was taken for; `language` when its word is of one language only."""

    intent: Intent
    language: str = ""


class MailAnswer(Enum):
    """What to do with a reply by mail."""

    ACT = "act"
    TRIAGE = "triage"
    NOTHING = "nothing"


def read(text: str) -> Reading:
    """Read one text message. Total: every text has a reading."""
    started = words.START.get(exact_form(text))
    if started is not None:
        return Reading(Intent.START, started)
    tokens = _without_repeats(loose_form(text))
    core = _without_polite_words(tokens)
    whole = _whole(core)
    if whole is not None:
        return whole
    if _is_plain_request(core) or _begins_with_stop(core) or _asks_in_passing(core):
        return Reading(Intent.STOP, _language_of(core))
    if _smells_of_stop(tokens):
        return Reading(Intent.MAYBE_STOP, _language_of(core))
    return Reading(Intent.UNCLEAR)


def read_mail(subject: str, body: str) -> MailAnswer:
    """Read what a person wrote in a mail, without what it quotes and its signature.

    Only an unmistakable, short request acts. The subject of a reply is ours, so it
    says nothing.
    """
    tokens = _without_repeats(loose_form(own_part(body)))
    core = _without_polite_words(tokens)
    if _is_unmistakable(core):
        return MailAnswer.ACT
    about = _without_polite_words(_without_repeats(loose_form(own_subject(subject))))
    if not core and _is_unmistakable(about):
        return MailAnswer.ACT
    if _smells_of_stop(tokens) or _smells_of_stop(about):
        return MailAnswer.TRIAGE
    return MailAnswer.NOTHING


def _is_unmistakable(core: list[str]) -> bool:
    whole = _whole(core)
    if whole is not None:
        return whole.intent is Intent.STOP
    return _is_plain_request(core)


def _whole(core: list[str]) -> Reading | None:
    """Look a whole text up, as it is or with its letters joined (S T O P)."""
    if not core or len(core) > MOST_WORDS:
        return None
    spaced, joined = " ".join(core), "".join(core)
    for table, intent in ((words.STOP, Intent.STOP), (words.HELP, Intent.HELP)):
        for form in (spaced, joined):
            if form in table:
                return Reading(intent, table[form])
    return None


def _is_plain_request(core: list[str]) -> bool:
    """Say whether a short text holds a word for stopping, and only words about it."""
    if len(core) > MOST_WORDS or _is_denied(core) or _is_instruction(core):
        return False
    stems = [place for place, word in enumerate(core) if word in words.STEMS]
    nouns = [place for place in stems if _is_noun(core, place)]
    return len(stems) > len(nouns) and all(
        each in words.ABOUT_IT or each in words.STEMS for each in core
    )


def _begins_with_stop(core: list[str]) -> bool:
    if not core or core[0] not in words.STRONG or _is_denied(core):
        return False
    return not _is_idiom(core, 0)


def _asks_in_passing(core: list[str]) -> bool:
    if len(core) > MOST_WORDS or _is_denied(core) or _is_instruction(core):
        return False
    if _holds_phrase(core, words.UNMISTAKABLE):
        return True
    return any(
        _is_meant(core, place) for place, word in enumerate(core) if word in words.STEMS
    )


def _is_meant(core: list[str], place: int) -> bool:
    """Say whether an everyday word for stopping is about messages here."""
    before, rest = core[:place], core[place + 1 :]
    if _is_noun(core, place) or _is_idiom(core, place):
        return False
    if not rest:
        word = core[place]
        is_everyday = word in words.EVERYDAY and words.SPEAKERS.intersection(before)
        return word in words.STRONG and not is_everyday
    return any(each in words.OBJECTS for each in rest)


def _is_idiom(core: list[str], place: int) -> bool:
    """Say whether what follows makes it another thing, such as: stop by at five."""
    rest = core[place + 1 :]
    if _is_instruction(core):
        return True
    if not rest or rest[0] in words.AFTER_AN_IDIOM:
        return bool(rest)
    # "Stop the bus", but not: stop the messages.
    return rest[0] in words.DETERMINERS and words.OBJECTS.isdisjoint(rest[:4])


def _is_noun(core: list[str], place: int) -> bool:
    return place > 0 and core[place - 1] in words.BEFORE_A_NOUN


def _is_denied(core: list[str]) -> bool:
    """Say whether a word for stopping is denied: don't stop, sluta inte."""
    for place, word in enumerate(core):
        if word not in words.STEMS:
            continue
        if words.NEGATIONS.intersection(core[max(0, place - _NEAR) : place]):
            return True
        if core[place + 1 : place + 2] and core[place + 1] in words.NEGATIONS_AFTER:
            return True
    return False


def _is_instruction(core: list[str]) -> bool:
    """Say whether it repeats our own words: reply STOP to end."""
    text = f" {' '.join(core)} "
    return any(f" {each} " in text for each in words.INSTRUCTIONS)


def _smells_of_stop(tokens: list[str]) -> bool:
    if any(each in words.STEMS or each in words.SMELLS for each in tokens):
        return True
    if _holds_phrase(tokens, words.ASKING):
        return True
    return len(tokens) == 1 and _is_slip_of(tokens[0], "stop")


def _holds_phrase(tokens: list[str], phrases: frozenset[str]) -> bool:
    """Say whether one of the phrases is there, and not denied by the word before it."""
    text = f" {' '.join(tokens)} "
    for phrase in phrases:
        before, found, _after = text.partition(f" {phrase} ")
        if found and before.split()[-1:] not in [[each] for each in words.NEGATIONS]:
            return True
    return False


def _is_slip_of(word: str, meant: str) -> bool:
    """Say whether one letter is wrong, missing, too many, or two changed places."""
    if word == meant or abs(len(word) - len(meant)) > 1:
        return word == meant
    if len(word) == len(meant):
        wrong = [place for place in range(len(meant)) if word[place] != meant[place]]
        return len(wrong) == 1 or (len(wrong) == 2 and sorted(word) == sorted(meant))
    shorter, longer = sorted((word, meant), key=len)
    return any(
        longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer))
    )


def _without_repeats(tokens: list[str]) -> list[str]:
    """Take STOP STOP STOP for one."""
    return [
        each for place, each in enumerate(tokens) if tokens[place - 1 : place] != [each]
    ]


def _without_polite_words(tokens: list[str]) -> list[str]:
    """Take the polite words off both ends, and a phone's own signature off the end."""
    text = f" {' '.join(tokens)} "
    for signature in words.PHONE_SIGNATURES:
        text = text.partition(f" {signature} ")[0] + " "
    for aside in words.ASIDES:
        text = text.replace(f" {aside} ", " ")
    core = text.split()
    while core and core[0] in words.POLITE:
        core = core[1:]
    while core and core[-1] in words.POLITE:
        core = core[:-1]
    return core


def _language_of(core: list[str]) -> str:
    found = {words.STOP[each] for each in core if words.STOP.get(each)}
    return found.pop() if len(found) == 1 else ""
