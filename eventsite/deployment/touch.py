"""The request that Zappa sends to a stage after its deployment.

Zappa sends it without a time limit, and an error ends the command with a traceback. But the address may be unreachable
although the deployment is right: behind a firewall, before DNS has it, or with an emulator.
"""

from typing import Any

import click
import requests

SECONDS = 35.0  # seconds; longer than API Gateway waits for a cold start (29 s)
OUT_OF_REACH = (
    "Everything is deployed, but {address} cannot be reached from this machine, so nothing has checked that it "
    "answers. Open it from where it can be reached. (An emulator of AWS serves the stage under an address of its own: "
    "see docs/deployment.md.)"
)


def tolerate_unreachable(cli: Any) -> None:
    """Replace the error of Zappa's check of the address by a sentence, so that the command goes on."""
    touch = cli.touch_endpoint

    def check(endpoint_url: str) -> None:
        address = endpoint_url + cli.stage_config.get("touch_path", "/")
        try:
            requests.get(address, timeout=SECONDS)
            touch(endpoint_url)
        except requests.RequestException:
            click.echo(OUT_OF_REACH.format(address=address))

    cli.touch_endpoint = check
