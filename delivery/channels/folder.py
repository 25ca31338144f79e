"""Mail that stays here: without a server each message becomes a file.

So that trying the product out never reaches anybody. The console shows the folder.
"""

from pathlib import Path

from delivery.channels.outcomes import Outcome, OutcomeKind, Phase
from delivery.channels.transport import Composition, Transport


class FolderTransport(Transport):
    """Puts each message into a file of its own, named after its envelope sender."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ready(self) -> Outcome | None:
        """Make the folder if need be; None when messages can be put into it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return self._trouble(OutcomeKind.UNREACHABLE, error)
        return None

    def send(self, message: Composition) -> Outcome:
        """Write one message; the same one again takes the place of its file."""
        name = message.sender.partition("@")[0] or "message"
        path = self._folder / f"{name}.eml"
        try:
            part = path.with_suffix(".part")
            part.write_bytes(message.content)
            part.replace(path)
        except OSError as error:
            return self._trouble(OutcomeKind.SOFT, error)
        return Outcome(OutcomeKind.SENT, Phase.CONTENT, code="kept_in_folder")

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _trouble(self, kind: OutcomeKind, error: OSError) -> Outcome:
        reply = error.strerror or type(error).__name__
        return Outcome(kind, Phase.CONNECT, reply=reply, code="folder_not_writable")
