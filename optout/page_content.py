"""The content of a landing page: its own types, and how they are kept as JSON.

Nothing here asks the database; whether a content may go online is asked in
optout.page_publishing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from profiles.channels import Channel

# Names as their own speakers write them.
PAGE_LANGUAGES: Final = {
    "en": "English",
    "sv": "svenska",
    "de": "Deutsch",
    "fr": "français",
    "es": "español",
    "fi": "suomi",
    "nb": "norsk (bokmål)",
    "da": "dansk",
}
DEFAULT_LANGUAGE: Final = "en"
MOST_AGREEMENTS: Final = 3
LONGEST_LINE: Final = 200
LONGEST_TEXT: Final = 3000


class ContentError(ValueError):
    """A content that cannot be kept; the text is a sentence."""


class Access(TextChoices):
    IDENTIFIED = "identified", gettext_lazy("Only who comes by a link in our message")
    ANYBODY = "anybody", gettext_lazy("Anybody")


class OnSeveral(TextChoices):
    """Who is meant when several profiles have the address that was given."""

    OLDEST = "oldest", gettext_lazy("The oldest profile")
    NEWEST = "newest", gettext_lazy("The newest profile")
    ALL = "all", gettext_lazy("Every one of them")
    NONE = "none", gettext_lazy("None: nothing is changed")


class StopScope(TextChoices):
    PROFILE = "profile", gettext_lazy("This profile")
    SHARED_ADDRESS = (
        "shared_address",
        gettext_lazy("Every profile that shares the address"),
    )


class After(TextChoices):
    MESSAGE = "message", gettext_lazy("Only the text on the page")
    SERVICE = "service", gettext_lazy("The confirmation of the service as well")


class FieldName(TextChoices):
    """What of a profile a page can ask for, besides the address."""

    FIRST_NAME = "first_name", gettext_lazy("First name")
    LAST_NAME = "last_name", gettext_lazy("Last name")
    LANGUAGE = "language", gettext_lazy("Preferred language")
    COUNTRY = "country", gettext_lazy("Country")
    STREET = "street", gettext_lazy("Street")
    POSTCODE = "postcode", gettext_lazy("Postcode")
    CITY = "city", gettext_lazy("City")
    BIRTH_DATE = "birth_date", gettext_lazy("Date of birth")


@dataclass(frozen=True)
class Texts:
    """What a page says in one language."""

    title: str = ""
    intro: str = ""
    button: str = ""
    confirmation: str = ""
    error: str = ""
    closed: str = ""
    # One for each agreement box, in their order.
    agreements: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfferedField:
    name: FieldName
    is_mandatory: bool = False


@dataclass(frozen=True)
class PageContent:
    """What a page says and offers, and what it does with what is sent."""

    default_language: str = DEFAULT_LANGUAGE
    languages: Mapping[str, Texts] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    services: tuple[int, ...] = ()
    fields: tuple[OfferedField, ...] = ()
    access: Access = Access.IDENTIFIED
    on_several: OnSeveral = OnSeveral.OLDEST
    scope: StopScope = StopScope.PROFILE
    agreement_count: int = 0
    after: After = After.MESSAGE
    has_double_opt_in: bool = True

    @classmethod
    def parse(cls, source: object) -> Self:
        """Read what `serialise` wrote. Raises ContentError with a sentence."""
        if not isinstance(source, Mapping):
            raise ContentError(_("The content of the page is not readable."))
        try:
            content = cls(**_read(source))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ContentError(
                _("The content of the page is not readable: %(error)s")
                % {"error": error}
            ) from error
        content.check()
        return content

    def serialise(self) -> dict[str, Any]:
        """Give what JSON can hold, enough for `parse` to give the same content."""
        plain: dict[str, Any] = asdict(self)
        return plain | {
            "languages": {code: asdict(texts) for code, texts in self.languages.items()}
        }

    def check(self) -> None:
        """Raise ContentError where a value is none of those that can be."""
        unknown = {*self.languages, self.default_language} - set(PAGE_LANGUAGES)
        if unknown:
            raise ContentError(
                _("There are no pages in the language “%(language)s”.")
                % {"language": min(unknown)}
            )
        if not 0 <= self.agreement_count <= MOST_AGREEMENTS:
            raise ContentError(
                _("A page has %(most)d agreements at most.") % {"most": MOST_AGREEMENTS}
            )
        for texts in self.languages.values():
            _check_lengths(texts)

    @property
    def is_for_anybody(self) -> bool:
        return self.access == Access.ANYBODY

    def texts_in(self, language: str) -> Texts:
        """Give the texts in a language, else in the default one."""
        return self.languages.get(language) or self.languages.get(
            self.default_language, Texts()
        )

    def language_for(self, wanted: Sequence[str]) -> str:
        """Choose the first wanted language that the page has, else its default."""
        for each in wanted:
            for code in (each.lower(), each.lower().partition("-")[0]):
                # Norwegian comes under three names.
                code = {"no": "nb", "nn": "nb"}.get(code, code)
                if code in self.languages:
                    return code
        return self.default_language

    def with_texts(self, language: str, texts: Texts) -> Self:
        """Give this content with the texts of one language put in."""
        return replace(self, languages={**self.languages, language: texts})

    def without_language(self, language: str) -> Self:
        """Give this content without a language. Raises ContentError for the default."""
        if language == self.default_language:
            raise ContentError(
                _(
                    "%(language)s cannot be taken away: it is the default language of"
                    " the page. Choose another default first."
                )
                % {"language": PAGE_LANGUAGES[language].capitalize()}
            )
        left = {code: each for code, each in self.languages.items() if code != language}
        return replace(self, languages=left)


def _read(source: Mapping[str, Any]) -> dict[str, Any]:
    readers: dict[str, Any] = {
        "default_language": str,
        "languages": lambda found: {code: _texts(each) for code, each in found.items()},
        "channels": lambda found: _once(Channel(each) for each in found),
        "services": lambda found: _once(int(each) for each in found),
        "fields": lambda found: tuple(_field(each) for each in found),
        "access": Access,
        "on_several": OnSeveral,
        "scope": StopScope,
        "agreement_count": int,
        "after": After,
        "has_double_opt_in": _boolean,
    }
    return {name: readers[name](value) for name, value in source.items()}


def _once(values: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def _texts(source: Mapping[str, Any]) -> Texts:
    plain = dict(source)
    agreements = tuple(_text(each) for each in plain.pop("agreements", ()))
    return Texts(
        **{name: _text(each) for name, each in plain.items()}, agreements=agreements
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _field(source: Mapping[str, Any]) -> OfferedField:
    return OfferedField(FieldName(source["name"]), _boolean(source["is_mandatory"]))


def _check_lengths(texts: Texts) -> None:
    lengths = {
        "title": LONGEST_LINE,
        "button": LONGEST_LINE,
        "intro": LONGEST_TEXT,
        "confirmation": LONGEST_TEXT,
        "error": LONGEST_TEXT,
        "closed": LONGEST_TEXT,
    }
    all_texts = {name: getattr(texts, name) for name in lengths}
    if any(len(text) > lengths[name] for name, text in all_texts.items()) or any(
        len(text) > LONGEST_TEXT for text in texts.agreements
    ):
        raise ContentError(
            _(
                "A text is too long: %(line)d characters for title and button, else"
                " %(text)d."
            )
            % {"line": LONGEST_LINE, "text": LONGEST_TEXT}
        )
    if "\0" in "".join([*all_texts.values(), *texts.agreements]):
        raise ContentError(_("A text holds a character that cannot be stored."))
