"""What a text message is taken for: a table of texts, and that it is total."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout import keywords
from optout.keywords import Intent
from tests.source import ROOT

STOP_AS_WRITTEN = [
    "STOP",
    "stop",
    " STOP. ",
    "Stop!!!",
    "“Stop”",
    "»stopp«",
    "(stop)",
    "'stop'",
    "*STOP*",
    "ＳＴＯＰ",
    "ｓｔｏｐ",
    "СТОП",
    "стоп",
    "СTOP",
    "SТОP",
    "ΣΤΟΠ",
    "S\u200bTOP",
    "\ufeffSTOP",
    "ST\u00adOP",
    "S T O P",
    "s.t.o.p.",
    "S-T-O-P",
    "st op",
    "STOP 🛑",
    "🛑STOP🛑",
    "🅂🅃🄾🄿",
    "Ⓢⓣⓞⓟ",
    "stoooop",
    "stoppppp",
    "STOP STOP STOP",
    "STOP\n",
    "\tstop\r\n",
    "STOP\nSent from my phone",
    "Stopp\nSkickat från min iPhone",
    "STOP\0",
    "ST\0OP",
    "STÔP",
    "stop 12345",
    "stop start",
    "START STOP",
]
STOP_BY_WORD = {
    "en": [
        "STOPALL",
        "STOP ALL",
        "stop-all",
        "UNSUBSCRIBE",
        "unsub",
        "un subscribe",
        "END",
        "QUIT",
        "CANCEL",
        "REVOKE",
        "OPTOUT",
        "OPT-OUT",
        "opt out",
        "REMOVE",
        "remove me",
        "TD",
        "opt me out",
        "take me off",
        "leave me alone",
        "no more texts",
        "Stop it",
    ],
    "sv": [
        "STOPPA",
        "AVREGISTRERA",
        "AVSLUTA",
        "SLUTA",
        "AVANMÄL",
        "avanmal",
        "INGA FLER",
        "avprenumerera",
        "Ta bort mig",
        "säg upp",
    ],
    "de": [
        "ABMELDEN",
        "ABBESTELLEN",
        "AUSTRAGEN",
        "KEINE WERBUNG",
        "Kündigen",
        "kuendigen",
    ],
    "fr": ["ARRET", "ARRÊT", "Arrêtez", "DÉSABONNER", "desinscrire", "STOP PUB"],
    "es": [
        "BAJA",
        "ALTO",
        "PARAR",
        "DETENER",
        "CANCELAR",
        "NO MÁS",
        "no mas",
        "darme de baja",
    ],
    "fi": ["LOPETA", "PERUUTA", "ESTO", "Lopettakaa"],
    "nb": ["AVMELD", "MELD AV", "avslutt", "Meld meg av"],
    "da": ["AFMELD", "FRAMELD", "meld fra", "afslut"],
}
STOP_IN_A_SENTENCE = [
    "please stop",
    "Stop please",
    "Hi, stop. Thanks!",
    "ok stop now",
    "Stop this",
    "please stop texting me",
    "Stop texting me!!",
    "stop the messages",
    "STOP messages pls",
    "Please unsubscribe me",
    "unsubscribe me from this list",
    "please opt me out",
    "Stop sending me this crap",
    "I want you to stop sending me sms",
    "I said stop",
    "cancel my subscription",
    "remove my number please",
    "take me off your list",
    "not interested, stop",
    "no thanks. STOP",
    "please leave me alone",
    "can you stop the texts",
    "stop at once",
    "Don't text me anymore",
    "lose my number",
    "Do not contact me again",
    "STOP, wrong number",
    "Snälla sluta skicka sms",
    "sluta skicka mig reklam",
    "avsluta prenumerationen tack",
    "Hej, STOPP tack",
    "inga fler sms tack",
    "Stoppa utskicken",
    "lämna mig ifred",
    "Bitte keine Werbung mehr",
    "Bitte STOP, danke",
    "stop, keine nachrichten mehr",
    "Bitte melden Sie mich ab",
    "Arrêtez de m'envoyer des messages",
    "STOP svp",
    "plus de SMS merci",
    "Désabonnez-moi",
    "No más mensajes por favor",
    "quiero darme de baja",
    "Älkää lähettäkö viestejä",
    "Lopeta kiitos",
    "Meld meg av takk",
    "vær så snill, stopp å sende",
    "Meld mig af tak",
    "stop med at sende beskeder",
]
DECIDED_BY_A_PERSON = [
    "don't stop",
    "dont stop texting me",
    "never stop",
    "please don’t stop",
    "I can't stop laughing",
    "stop by at 5",
    "can you stop by later?",
    "please stop the bus",
    "stop at the shop",
    "at the bus stop",
    "my stop is next",
    "full stop.",
    "non stop",
    "next stop Kista",
    "the end",
    "End of the month works",
    "cancel my appointment",
    "cancel order 17",
    "quit smoking programme?",
    "stop worrying about it",
    "stop and think",
    "sluta inte",
    "stoppa inte mina sms",
    "jag måste sluta nu",
    "nicht stoppen",
    "nästa stopp",
    "arrêt de bus",
    "ne pas arrêter",
    "Reply STOP to opt out",
    "Svara STOPP för att slippa",
    "Liked “Spring is here. Reply STOP to opt out”",
    "stpo",
    "sotp",
    "stob",
    "no thanks",
    "nej tack",
    "not interested",
    "wrong number",
    "who is this?",
    "ta bort",
    "ei kiitos",
    "this is spam",
]
UNCLEAR = [
    "",
    " ",
    "👍",
    "👍🏽❤️",
    "...",
    "?",
    "hello",
    "What is this about?",
    "thank you",
    "ok",
    "yes",
    "YES",
    "ja",
    "oui",
    "I like it",
    "please start",
    "start please",
    "start me up",
    "S T A R T",
    "Restart",
    "ALTA por favor",
    "stаrt",
    "start start",
    "don't leave me alone",
    "\ud800",
    "\0\0\0",
    "1",
    "https://example.com/",
    "Grattis på födelsedagen!",
    "para ti",
]
START = [
    "START",
    "start",
    " Start! ",
    "»START«",
    "ＳＴＡＲＴ",
    "ST\u200bART",
    "UNSTOP",
    "STARTA",
    "Starten",
    "Démarrer",
    "DEMARRER",
    "ALTA",
    "ALOITA",
]
HELP = [
    "HELP",
    "help!",
    "INFO",
    "HJÄLP",
    "hjalp",
    "HILFE",
    "AIDE",
    "AYUDA",
    "APUA",
    "Ohje",
    "HJELP",
    "HJÆLP",
    "help please",
    "Hjälp mig",
    "H E L P",
]

MEANT = [
    *((each, Intent.STOP) for each in STOP_AS_WRITTEN + STOP_IN_A_SENTENCE),
    *((each, Intent.STOP) for group in STOP_BY_WORD.values() for each in group),
    *((each, Intent.MAYBE_STOP) for each in DECIDED_BY_A_PERSON),
    *((each, Intent.UNCLEAR) for each in UNCLEAR),
    *((each, Intent.START) for each in START),
    *((each, Intent.HELP) for each in HELP),
]


@pytest.mark.parametrize(("text", "intent"), MEANT, ids=ascii)
def test_text_is_taken_for_what_it_says(text, intent):
    assert keywords.read(text).intent is intent


def test_table_is_long_enough_to_mean_something():
    assert len({text for text, _intent in MEANT}) >= 250


def labelled() -> list[tuple[str, Intent]]:
    """Read texts as people write them, with what each was labelled as."""
    with open(ROOT / "tests/data/texts.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [(row["meant"], keywords.read(row["text"]).intent) for row in rows]


def test_who_wants_to_stop_is_stopped_or_read_and_hardly_anybody_else_is():
    found = labelled()
    wanted = [intent for meant, intent in found if meant == "stop"]
    acted = [meant for meant, intent in found if intent is Intent.STOP]

    assert set(wanted) <= {Intent.STOP, Intent.MAYBE_STOP}
    assert wanted.count(Intent.STOP) >= 0.98 * len(wanted)
    assert acted.count("stop") >= 0.98 * len(acted)


@pytest.mark.parametrize("language", STOP_BY_WORD)
def test_word_of_one_language_tells_the_language(language):
    found = {keywords.read(each).language for each in STOP_BY_WORD[language]}

    assert found == {language}


@pytest.mark.parametrize("text", ["STOP", "Stopp!", "INFO", "start", "please stop"])
def test_word_of_many_languages_tells_none(text):
    assert keywords.read(text).language == ""


@pytest.mark.parametrize("length", [1_000, 10_000, 1_000_000])
def test_long_text_is_read_by_its_beginning(length):
    assert keywords.read("x " * length).intent is Intent.UNCLEAR
    assert keywords.read("STOP " + "x " * length).intent is Intent.STOP
    assert keywords.read("start" + " " * length).intent is not Intent.START


@given(st.text(max_size=80))
def test_every_text_has_a_reading(text):
    assert isinstance(keywords.read(text).intent, Intent)


@given(st.text(max_size=20), st.text(max_size=20))
def test_nothing_but_the_word_itself_starts(before, after):
    text = f"{before} start {after}"
    is_more = any(each.isalnum() for each in before + after)

    assert not is_more or keywords.read(text).intent is not Intent.START
