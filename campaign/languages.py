"""Which language a request is answered in.

Public pages speak every language of LANGUAGES; the console, and what belongs to it,
those of CONSOLE_LANGUAGES, where every text is translated.
"""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class LanguageMiddleware(LocaleMiddleware):
    """Chooses as Django does, among the languages that the console speaks.

    A public page chooses for itself: by its link, its profile, then the browser.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        spoken = {code for code, _name in settings.CONSOLE_LANGUAGES}
        if translation.get_language() not in spoken:
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
