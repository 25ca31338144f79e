"""Find every string marked for translation, without msgfmt or xgettext.

Python is read as a syntax tree, templates through Django's own templatize.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("profiles", "quarantine", "optout", "delivery", "campaign", "templates")
TEMPLATE_SUFFIXES = {".html", ".txt"}
# Which argument is what, for each function of django.utils.translation.
FORMS: dict[str, tuple[str, ...]] = {
    "gettext": ("id",),
    "gettext_lazy": ("id",),
    "gettext_noop": ("id",),
    "ngettext": ("id", "plural"),
    "ngettext_lazy": ("id", "plural"),
    "pgettext": ("context", "id"),
    "pgettext_lazy": ("context", "id"),
    "npgettext": ("context", "id", "plural"),
    "npgettext_lazy": ("context", "id", "plural"),
}
_LITERAL = r"u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_CALL = re.compile(
    rf"\b(n?p?gettext|_)\(\s*((?:{_LITERAL}\s*,\s*)*{_LITERAL})", re.DOTALL
)


# What recipients read, on pages and in mails about consent: in every language.
PUBLIC = re.compile(
    r"templates/public/|optout/(public|mails|link_mail|telling|models/reasons|page_rendering|page_defaults|page_content)"
    r"|delivery/footer_words\.py|delivery/inbound/answers\.py|profiles/channels\.py"
)
# Where every string is translated; elsewhere only what is public.
CONSOLE_LOCALES = ("sv",)


@dataclass(frozen=True)
class Marked:
    """A string marked for translation, and where."""

    id: str
    place: str
    plural: str = ""
    context: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.id


def find() -> list[Marked]:
    """List every marked string, in the order of its files."""
    found: list[Marked] = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            place = path.relative_to(ROOT).as_posix()
            if path.suffix == ".py" and "migrations" not in path.parts:
                found += in_python(path.read_text("utf-8"), place)
            elif path.suffix in TEMPLATE_SUFFIXES:
                found += in_template(path.read_text("utf-8"), place)
    return found


def of_locale(locale: str) -> list[Marked]:
    """List the marked strings that a catalogue of this locale holds."""
    found = find()
    if locale in CONSOLE_LOCALES:
        return found
    public = {each.key for each in found if PUBLIC.match(each.place)}
    return [each for each in found if each.key in public]


def in_python(text: str, place: str) -> Iterator[Marked]:
    tree = ast.parse(text)
    names = translating_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        form = form_of(node.func, names)
        if form is None:
            continue
        strings = [argument.value for argument in constants(node.args[: len(form)])]
        # A name instead of a string: it was marked where it was written.
        if len(strings) == len(form):
            yield marked(form, strings, f"{place}:{node.lineno}")
        elif any(isinstance(argument, ast.JoinedStr) for argument in node.args):
            yield Marked(id="", place=f"{place}:{node.lineno}")


def in_template(text: str, place: str) -> Iterator[Marked]:
    python = templatize(text, origin=place)
    for match in _CALL.finditer(python):
        name = "gettext" if match.group(1) == "_" else match.group(1)
        literals = re.findall(_LITERAL, match.group(2), re.DOTALL)
        strings = [ast.literal_eval(literal) for literal in literals]
        line = python.count("\n", 0, match.start()) + 1
        form = FORMS[name]
        yield marked(form, strings[: len(form)], f"{place}:{line}")


def translating_names(tree: ast.Module) -> dict[str, str]:
    """Give the names that this file imported them under, such as `_`."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in FORMS
    }


def form_of(function: ast.expr, names: dict[str, str]) -> tuple[str, ...] | None:
    if isinstance(function, ast.Name) and function.id in names:
        return FORMS[names[function.id]]
    if isinstance(function, ast.Attribute) and function.attr in FORMS:
        return FORMS[function.attr]
    return None


def constants(arguments: list[ast.expr]) -> Iterator[ast.Constant]:
    for argument in arguments:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument


def marked(form: tuple[str, ...], strings: list[str], place: str) -> Marked:
    return Marked(place=place, **dict(zip(form, strings, strict=True)))
