"""Words that do not belong on a page that people leave by.

They press instead of telling (EDPB guidelines 03/2022 on deceptive design, “stirring”).
"""

import re
from typing import Final

_FORBIDDEN: Final = (
    # English
    "miss out", "missing out", "miss you", "sad", "sorry", "sure?", "lose", "regret",
    "goodbye", "don't go", "don’t go", "last chance", "are you certain",
    "unfortunately",
    # Swedish
    "missa", "missar", "går miste", "gå miste", "ledsen", "ledsna", "tråkigt", "säker?",
    "säkert?", "förlora", "förlorar", "ångra dig", "sakna", "saknar", "hejdå",
    "lämna oss inte", "sista chansen", "tyvärr",
)  # fmt: skip
_PATTERN: Final = re.compile(
    "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in _FORBIDDEN), re.IGNORECASE
)


def pressing_words(text: str) -> list[str]:
    """List the words of a text that press people, each once, as they are written."""
    return list(dict.fromkeys(match.group() for match in _PATTERN.finditer(text)))
