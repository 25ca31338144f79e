"""Make the pictures of every page, of the guide, and the one at the top of README.

Usage: python -m tools.screenshots [--only NAME ...] [--guide]

Needs Chromium (CHROMIUM=path). Touches no database but one of its own.
"""

import argparse
import os
import sys
from pathlib import Path

import time_machine

from tools.screenshots import stage

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these pages")
    parser.add_argument(
        "--guide", action="store_true", help="only the guide, and that of README"
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    with stage.empty_installation():
        # Our models can be imported only after Django was set up.
        from tools.screenshots import making, world

        print("Making the example data …", flush=True)
        password = world.make()
        with time_machine.travel(stage.NOW, tick=False), stage.serving() as address:
            try:
                making.make(
                    address, password, only=options.only, is_guide_only=options.guide
                )
            except making.REFUSALS as error:
                sys.exit(str(error))


if __name__ == "__main__":
    main()
