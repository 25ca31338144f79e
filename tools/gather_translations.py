"""Bring locale/*/LC_MESSAGES/django.po up to date with the marked strings.

New strings are added without a translation, strings that are gone are removed,
translations stay. Then fill the empty ones by hand.
"""

import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import marked_strings  # noqa: E402

HEADER = {
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "MIME-Version": "1.0",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}
PLURALS = {"fr": "nplurals=2; plural=(n > 1);"}


def main() -> None:
    for folder in sorted((ROOT / "locale").iterdir()):
        path = folder / "LC_MESSAGES" / "django.po"
        catalogue = gather(path, locale=folder.name)
        catalogue.save(str(path))
        empty = catalogue.untranslated_entries()
        print(f"{folder.name}: {len(catalogue)} strings, {len(empty)} untranslated")


def gather(path: Path, *, locale: str) -> polib.POFile:
    known = {}
    catalogue = polib.POFile(wrapwidth=88)
    catalogue.metadata = dict(HEADER)
    if path.exists():
        old = polib.pofile(str(path))
        catalogue.metadata = {**HEADER, **old.metadata}
        known = {(entry.msgctxt or "", entry.msgid): entry for entry in old}
    if locale in PLURALS:
        catalogue.metadata["Plural-Forms"] = PLURALS[locale]

    entries: dict[tuple[str, str], polib.POEntry] = {}
    for each in marked_strings.of_locale(locale):
        met = entries.get(each.key)
        if met is None or (each.plural and not met.msgid_plural):
            entries[each.key] = entry_of(each, known.get(each.key))
    catalogue.extend(entries.values())
    return catalogue


def entry_of(each: marked_strings.Marked, old: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=each.id,
        msgid_plural=each.plural,
        msgctxt=each.context or None,
        occurrences=[(each.place.rpartition(":")[0], "")],
    )
    if "%(" in each.id:
        entry.flags = ["python-format"]
    if each.plural:
        entry.msgstr_plural = (old and old.msgstr_plural) or {0: "", 1: ""}
    elif old is not None:
        entry.msgstr = old.msgstr
    return entry


if __name__ == "__main__":
    main()
