"""Triggers that make the consent ledger append-only."""


def install_after_migrate(**kwargs: object) -> None:
    install()


def install() -> None:
    pass


def drop() -> None:
    pass
