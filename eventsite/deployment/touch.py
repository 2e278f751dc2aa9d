"""The request that Zappa sends to a stage once everything is deployed.

Zappa sends it without a time limit and lets its error end the command with a traceback. The address may be out of reach
though nothing is wrong: behind a firewall, before DNS knows it, or because an emulator made it.
"""

from typing import Any

import click
import requests

SECONDS = 35.0  # s; longer than API Gateway waits for a cold start (29 s)
OUT_OF_REACH = (
    "Everything is deployed, but {address} cannot be reached from this machine, so nothing has checked that it "
    "answers. Open it from where it can be reached. (An emulator of AWS serves the stage under an address of its own: "
    "see docs/deployment.md.)"
)


def tolerate_unreachable(cli: Any) -> None:
    """Let Zappa's check of a deployed address say in a sentence that it cannot reach it, and go on."""
    touch = cli.touch_endpoint

    def check(endpoint_url: str) -> None:
        address = endpoint_url + cli.stage_config.get("touch_path", "/")
        try:
            requests.get(address, timeout=SECONDS)
            touch(endpoint_url)
        except requests.RequestException:
            click.echo(OUT_OF_REACH.format(address=address))

    cli.touch_endpoint = check
