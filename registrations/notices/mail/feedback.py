"""Bounces and complaints, which SES reports as events.

SES publishes them for mails with a configuration set (`MAIL_CONFIGURATION_SET`), an EventBridge rule puts them into the
queue of notices, and `attempts` calls `record`.
https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
"""

from typing import Any

from eventsite.dynamodb.writes import conditional_update
from eventsite.text.mail_address import in_ascii, is_address
from eventsite.web import observability
from registrations.notices import history
from users.models import User

SOURCE = "aws.ses"
KINDS = {"Bounce": ("bounced", "MailsBounced"), "Complaint": ("complained", "MailsComplained")}
"""The kind and the metric of each type of event."""


def record(event: dict[str, Any]) -> None:
    """Record a bounce or a complaint in the history, and stop mailing the address.

    A temporary bounce, such as a full mailbox, is only recorded in the history.

    Raises:
        KeyError, TypeError: It is no event of SES.
    """
    detail = event["detail"]
    if detail["eventType"] not in KINDS:
        return
    kind, metric = KINDS[detail["eventType"]]
    observability.count(metric)
    tags = detail["mail"].get("tags", {})
    user_id, event_id = (str((tags.get(name) or [""])[0]) for name in ("user", "event"))
    user = User.find(user_id)
    if user is None:
        return
    report = detail[detail["eventType"].lower()]
    if kind == "complained" or report.get("bounceType") == "Permanent":
        recipients = {str(one["emailAddress"]).lower() for one in report[f"{kind}Recipients"]}
        _give_up(user, f"{kind} {event['time']}", recipients)
    if event_id:
        history.record_problem(event_id, user_id, f"mail.{kind}", at=event["time"], message=detail["mail"]["messageId"])


def _give_up(user: User, problem: str, recipients: set[str]) -> None:
    """Mark the address of a user as unreachable, unless the user has another one meanwhile."""
    if is_address(str(user.email)) and in_ascii(str(user.email)).lower() in recipients:
        conditional_update(User.named(user.user_id), [User.email_problem.set(problem)], User.email == user.email)
