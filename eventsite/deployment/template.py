"""The parameters of template.yaml for one stage."""

from pathlib import Path
from typing import Any

from eventsite.deployment.stage_file import FOR_THE_STACK, SWITCHES, Choices

TEXT = Path(__file__).with_name("template.yaml").read_text()
VISIBILITY_FACTOR = 6  # times the function's timeout, as the manual of Lambda recommends
SLOW = 0.9  # share of the timeout
CHOSEN = (*sorted(FOR_THE_STACK), "MAIL_CONFIGURATION_SET", "MAIL_FROM")  # MAIL_FROM is the parameter MailFrom
DEFAULTS = dict.fromkeys(SWITCHES, "false") | {"SIGN_IN_CODES": "true"}


def parameters(chosen: Choices, settings: dict[str, Any], *, stream: str, called: str) -> dict[str, str]:
    """Return the parameters of a stage, made of its choices and of its settings in zappa_settings.json.

    `stream` is the ARN of the stream of the events table, `called` the function with its alias, empty if there is none.
    """
    values, timeout = chosen.values, settings["timeout_seconds"]
    bus = values.get("NOTICE_BUS", "")
    derived = {
        "Stage": chosen.stage,
        **{f"{app.title()}Table": table for app, table in chosen.tables.items()},
        "EventsStream": stream,
        "Called": called,
        **dict.fromkeys(("BusArn", "BusName"), ""),
        "BusArn" if bus.startswith("arn:") else "BusName": bus,
        "VisibilitySeconds": VISIBILITY_FACTOR * timeout,
        "SlowMilliseconds": round(SLOW * 1000 * timeout),
        "LogDays": settings["log_retention_days"],
        "ThrottlingRate": settings["throttling"]["rate"],
        "ThrottlingBurst": settings["throttling"]["burst"],
        "UserPool": "true" if chosen.makes_user_pool else "false",
        "Address": f"https://{values['DOMAIN']}" if "DOMAIN" in values else "",
    }
    named = {name.title().replace("_", ""): values.get(name, DEFAULTS.get(name, "")) for name in CHOSEN}
    return {name: str(value) for name, value in (derived | named).items()}
