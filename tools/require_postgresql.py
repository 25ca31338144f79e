"""Refuse, in one sentence, when DATABASE_URL is not a PostgreSQL that answers."""

import os
import sys

import psycopg

CURE = "Set it: DATABASE_URL=postgres://user:password@host:5432/name make test-postgres"


def main() -> None:
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        sys.exit(f"DATABASE_URL is not set, and these tests need PostgreSQL. {CURE}")
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", "pgsql", "psql"}:
        sys.exit(f"DATABASE_URL is not PostgreSQL but {scheme}. {CURE}")

    # The tests make a database of their own; only the server has to be there.
    server = f"postgresql://{rest.rpartition('/')[0]}/postgres"
    try:
        psycopg.connect(server, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        sys.exit(f"The PostgreSQL of DATABASE_URL did not answer: {reason}")


if __name__ == "__main__":
    main()
