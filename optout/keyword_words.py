"""The words of optout.keywords, in eight languages and as people write them.

Each is folded as texts are, so accents do not matter here but to those who read this.
"""

from typing import Final

from optout.keyword_forms import exact_form, loose_form


def _folded(*lines: str) -> frozenset[str]:
    """Fold words that are parted by spaces."""
    return frozenset(form for line in lines for form in loose_form(line))


def _phrases(*lines: str) -> frozenset[str]:
    """Fold phrases that are parted by commas."""
    return frozenset(
        " ".join(loose_form(each)) for line in lines for each in line.split(",")
    )


def _by_language(lines: dict[str, str]) -> dict[str, str]:
    """Give each phrase its language; none where several have it."""
    found: dict[str, str] = {}
    for language, line in lines.items():
        for phrase in _phrases(line):
            found[phrase] = language if found.get(phrase, language) == language else ""
    return found


# Whole texts, polite words aside. Those under "" are said in several languages.
STOP: Final = _by_language(
    {
        "": "stop, stopp, stop sms, sms stop, stop alt",
        "en": "stopall, stop all, unsubscribe, unsub, end, quit, cancel, revoke,"
        " optout, opt out, opt-out, remove, remove me, td, opt me out, take me off,"
        " stop it, no stop, end all, cancel all, leave me alone, no more, no more"
        " texts, no more messages",
        "sv": "stoppa, avregistrera, avsluta, sluta, avanmäl, avanmälan, inga fler,"
        " inga mer, avprenumerera, avregistrera mig, ta bort mig, stoppa sms, stoppa"
        " alla, säg upp, lägg av",
        "de": "stoppen, kuendigen, abmelden, abbestellen, austragen, keine werbung,"
        " abmeldung, abmelde, keine sms, kündigen, aufhören, beenden, keine"
        " nachrichten, stop werbung, nein stop",
        "fr": "arret, arrêt, arrêter, arrêtez, arrête, désabonner, désabonnement,"
        " désinscrire, désinscription, stop pub, désabonnez moi, me désabonner, me"
        " désinscrire, plus de sms, plus de messages, résilier",
        "es": "baja, alto, parar, detener, cancelar, no más, basta, darme de baja, dar"
        " de baja, no más mensajes, no más sms, desuscribir, cancelar suscripción",
        "fi": "lopeta, lopettakaa, peruuta, peru, esto, lopeta kaikki, poista,"
        " poistakaa, peru tilaus, lopetan tilauksen",
        "nb": "avmeld, meld av, avslutt, meld meg av, avmelding, stopp alle, slutt",
        "da": "afmeld, frameld, meld fra, meld mig fra, afmeld mig, meld mig af,"
        " afslut, hold op",
    }
)
HELP: Final = _by_language(
    {
        "": "info",
        "en": "help, help me, helpme, information",
        "sv": "hjälp, hjälp mig",
        "de": "hilfe",
        "fr": "aide",
        "es": "ayuda",
        "fi": "apua, ohje, ohjeet",
        "nb": "hjelp",
        "da": "hjælp",
    }
)
# The whole text, to the letter: an opt-in is never guessed.
START: Final = {
    exact_form(each): language
    for language, line in {
        "": "start",
        "en": "unstop",
        "sv": "starta",
        "de": "starten",
        "fr": "démarrer demarrer",
        "es": "alta",
        "fi": "aloita",
    }.items()
    for each in line.split()
}
# Words for stopping; some of them are everyday words as well.
STEMS: Final = _folded(
    "stop stopp stopall unsubscribe unsub optout end quit cancel remove revoke",
    "stoppa sluta avsluta avregistrera avanmäl avprenumerera",
    "stoppen abmelden abbestellen austragen kündigen aufhören beenden",
    "arrêt arrête arrêter arrêtez désabonner désabonnez désinscrire désinscrivez",
    "cancelar parar paren detener desuscribir desuscribirme",
    "lopeta lopettakaa peruuta peruuttakaa",
    "avmeld avslutt stoppe afmeld frameld afslut",
)
# At the beginning of a text they leave little doubt.
STRONG: Final = _folded(
    "stop stopp stopall unsubscribe unsub optout stoppa avregistrera avanmäl",
    "avprenumerera abmelden abbestellen austragen arrêt arrête arrêtez désabonner",
    "désabonnez désinscrire désinscrivez desuscribir lopeta lopettakaa avmeld",
    "afmeld frameld",
)
# Of these, the ones that people use of other things as well: I must stop.
EVERYDAY: Final = _folded(
    "stop stopp stoppa arrêt arrête arrêtez lopeta lopettakaa",
)
UNMISTAKABLE: Final = _phrases(
    "opt me out, opt out, take me off, take my number off, unsubscribe me, remove me",
    "leave me alone, no more texts, no more messages, do not text me, dont text me",
    "do not contact me, dont contact me, do not message me, dont message me",
    "stop at once, lose my number, delete my number, remove my number",
    "revoke consent, revoke my consent, revoke all consent",
    "hören sie auf, hör auf, hört auf, keine weiteren sms, keine weiteren nachrichten",
    "löschen sie meine nummer, löscht meine nummer",
    "inte ha fler sms, inte ha fler meddelanden, inte ha reklam, inte ha mer reklam",
    "plus de pub, plus de publicité, ne plus recevoir, retirez moi, ne menvoyez plus",
    "no quiero más mensajes, no quiero más sms, dejen de enviar, dejen de enviarme",
    "deje de enviar, deje de enviarme, deje de molestar, no me envíen más",
    "en halua enää viestejä, ei enää viestejä, poista minut, poistakaa minut",
    "ikke send flere, ikke flere meldinger, ikke flere beskeder, ikke flere sms",
    "fjern meg, fjern mig, slet mit nummer, slett nummeret mitt",
    "keine werbung, keine sms, keine nachrichten, lasst mich in ruhe, melden sie mich"
    " ab",
    "inga fler sms, inga fler meddelanden, ta bort mig, ta bort mitt nummer",
    "sluta skicka, lämna mig ifred, lämna mig i fred, avregistrera mig",
    "plus de sms, plus de messages, laissez moi tranquille, désabonnez moi",
    "no más mensajes, no más sms, darme de baja, dar de baja, déjenme en paz",
    "älkää lähettäkö, älä lähetä, poistakaa numeroni, jättäkää rauhaan",
    "meld mig af, meld meg av, slutt å sende, stopp å sende, hold op med at sende",
)
NEGATIONS: Final = _folded(
    "dont not never cant cannot wont wouldnt shouldnt doesnt didnt no nobody",
    "inte ej aldrig icke nicht nie niemals ne jamais nunca jamás älä älkää ei ikke",
    "aldri",
)
NEGATIONS_AFTER: Final = _folded("inte ej aldrig nicht nie pas jamais ikke aldri")
# Before one of these words a stem is a noun.
BEFORE_A_NOUN: Final = _folded(
    "a an the next last first second third bus full pit non one my our every each tram",
    "train metro whistle short dead week year month day far other far happy final"
    " which",
    "nästa sista din nächste letzter prochain dernier próxima última seuraava neste"
    " quel",
    "næste en ett ein une un una et",
)
# After one of these it is another thing: stop by at five.
AFTER_AN_IDIOM: Final = _folded(
    "by at in over off here there for and or on near light lights sign signs watch",
    "being when if until before after loss gap press worrying crying laughing thinking",
    "kidding joking playing motion smoking drinking eating talking running trying",
    "vid hos på och för bei an und oder auf chez en y o ja tai ved hos og",
)
# After one of these it depends on what is stopped.
DETERMINERS: Final = _folded(
    "the a an my our his her their that den det min mina die das der den le la les de"
    " du",
    "des el los las un una",
)
# Who says of themselves that they stop.
SPEAKERS: Final = _folded(
    "i we he she they jag vi han hon de ich wir er sie je nous il elle yo nosotros"
    " minä",
    "me hän jeg hun",
)
OBJECTS: Final = _folded(
    "text texts texting texted txt txts sms smses message messages messaging msg msgs",
    "send sending sends spam spamming spams contact contacting contacts email emails",
    "mail mails mailing call calls calling ads advertising adverts marketing"
    " newsletter",
    "newsletters offers promotions promos subscription subscriptions notifications",
    "alerts bothering annoying harassing disturbing messageing txting receiving"
    " getting",
    "meddelande meddelanden meddelandena skicka skickar skickas utskick utskicken",
    "reklam reklamen prenumeration prenumerationen nyhetsbrev nyhetsbrevet mejl mejla",
    "kontakta smsa erbjudanden spamma",
    "nachricht nachrichten werbung senden schicken schreiben kontaktieren abo",
    "abonnement werbenachrichten zusenden",
    "envoyer envoyez menvoyer envoi envois pub pubs publicité publicités texto textos",
    "contacter abonnement",
    "mensaje mensajes enviar enviarme envíen enviando mandar mandarme manden"
    " publicidad",
    "correos contactar suscripción",
    "viesti viestit viestejä viestien tekstiviestit lähettää lähettäminen lähettämästä",
    "mainokset mainoksia uutiskirje tilaus tilaukseni",
    "melding meldinger meldingene sende sender reklame beskeder besked beskederne",
    "nyhedsbrev kontakt kontakte abonnementet",
)
POLITE: Final = _folded(
    "please pls plz plse kindly thanks thank thx you hi hello hey dear sir madam ok"
    " okay",
    "yes now just immediately asap today guys man bro team again already",
    "tack vänligen snälla hej hejsan nu genast mvh",
    "bitte danke hallo jetzt sofort guten tag",
    "merci bonjour svp stp sil vous te plait plaît salut maintenant",
    "por favor gracias hola ya ahora porfa",
    "kiitos hei moi terve ole hyvä olkaa nyt heti",
    "takk vennligst venligst tak nå snart",
)
ABOUT_IT: Final = (
    OBJECTS
    | POLITE
    | _folded(
        "me my mine i am we us want to from it this these that the all any your of for"
        " every",
        "more a them number phone off list lists would like wish can could will must"
        " need",
        "right away further future ever with im out up said told asked be being so",
        "everything anything altogether completely totally d s",
        "mig mina min mitt alla allt era er ert detta dessa jag vill att från till mer"
        " fler",
        "ni du kan den det dem sms:en med på",
        "mich mir meine mein alle alles eure ihre diese ich möchte will zu von mehr"
        " sie",
        "ihr das die den weitere keine",
        "moi mes mon tous tout vos votre ces ce je veux de des les le la plus du"
        " vouloir",
        "ma mi mis todos todo sus tus estos esta quiero los las el de más que",
        "minua minulle minun kaikki nämä haluan teidän kaiken tämä",
        "meg mit mine alle dine deres jeg vil å at fra disse mere flere dette",
    )
)
# Our own words, repeated: reply STOP to end.
INSTRUCTIONS: Final = _phrases(
    "reply stop, text stop, send stop, txt stop, type stop, stop to, reply unsubscribe",
    "svara stopp, svara stop, skicka stopp, skicka stop, stopp för att, stop för att",
    "antworten sie stop, antworte stop, mit stop, mit stopp, stop zum, sende stop",
    "envoyez stop, répondez stop, envoie stop, stop au, stop pour",
    "responde stop, envía stop, envíe stop, baja para, stop para",
    "vastaa stop, lähetä stop, svar stop, svar stopp, send stopp, stop for at, stopp"
    " for å",
)
# None of these is a stop, each makes a person look.
SMELLS: Final = _folded(
    "stopping stopped stops opt opting harassment unwanted revoked consent gdpr lawyer",
    "unsubscribed unsubcribe unsuscribe complaint spammer slippa slipp sluta trött",
    "avslutad genug löschen nerv belästigung marre assez tranquille basta molesten",
    "borrar riittää poista poistakaa slutt slet fjern fjerne scam spam",
)
ASKING: Final = _phrases(
    "no more, take me off, leave me, dont text, do not text, dont contact, do not"
    " contact",
    "dont call, do not call, not interested, no thanks, no thank you, wrong number",
    "who is this, how did you get, opt out, do not want, dont want, ta bort, vill inte",
    "vill ej, nej tack, fel nummer, inte intresserad, kein interesse, nein danke",
    "falsche nummer, non merci, je ne veux, faux numéro, no gracias, no quiero",
    "número equivocado, ei kiitos, en halua, väärä numero, nei takk, vil ikke",
    "feil nummer, nej tak, forkert nummer, lad mig",
)
# Said beside a stop, and no denial of it.
ASIDES: Final = _phrases(
    "not interested, no thanks, no thank you, inte intresserad, nej tack, nein danke",
    "kein interesse, non merci, no gracias, ei kiitos, nei takk, nej tak",
)
PHONE_SIGNATURES: Final = _phrases(
    "sent from, sent via, skickat från, hämta outlook, von meinem, gesendet von",
    "gesendet mit, envoyé de mon, envoyé depuis, enviado desde, lähetetty, sendt fra",
)
