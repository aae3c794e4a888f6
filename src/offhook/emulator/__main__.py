"""`python -m offhook.emulator --port 4010 --home ./emulator`"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from offhook.emulator.app import serve
from offhook.emulator.journal import JournalError
from offhook.emulator.settings import Account


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m offhook.emulator", description="Twilio's and Telnyx's texts on loopback"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=0, help="0 takes a free one")
    parser.add_argument("--home", type=Path, required=True, help="the folder that keeps what happened")
    parser.add_argument("--account-sid", help="this account instead of the default one, with --auth-token")
    parser.add_argument("--auth-token", help="the token of --account-sid")
    parser.add_argument("--telnyx-api-key", help="the Telnyx key of --account-sid; else the default account's")
    parser.add_argument("--virtual-clock", action="store_true", help="time moves only by POST /_emulator/clock")
    given = parser.parse_args()
    if (given.account_sid is None) != (given.auth_token is None):
        parser.error("--account-sid and --auth-token belong together")
    if given.telnyx_api_key is not None and given.account_sid is None:
        parser.error("--telnyx-api-key belongs to --account-sid")
    own: tuple[Account, ...] = ()
    if given.account_sid is not None:
        own = (Account(given.account_sid, given.auth_token, telnyx_api_key=given.telnyx_api_key),)

    def ready(url: str) -> None:
        print(f"ready {url}", flush=True)

    try:
        asyncio.run(
            serve(
                host=given.host,
                port=given.port,
                home=given.home,
                accounts=own,
                virtual_clock=given.virtual_clock,
                on_ready=ready,
            )
        )
    except (JournalError, OSError) as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
