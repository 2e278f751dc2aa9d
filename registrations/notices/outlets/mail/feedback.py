"""What became of mails: bounces and complaints, which SES reports as events.

SES publishes them where mails are sent with a configuration set (`MAIL_CONFIGURATION_SET`), an EventBridge rule puts
them into the queue of notices, and `redelivery` hands them on.
https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
"""

from typing import Any

from eventsite.dynamodb.writes import conditional_update
from eventsite.text.mail_address import in_ascii, is_address
from eventsite.web import observability
from registrations.notices import history
from users.models import User

SOURCE = "aws.ses"
BOUNCED, COMPLAINED = "bounced", "complained"
METRICS = {BOUNCED: "MailsBounced", COMPLAINED: "MailsComplained"}
PERMANENT = "Permanent"


def is_feedback(message: dict[str, Any]) -> bool:
    """Return whether a message of the queue is an event of SES."""
    return message.get("source") == SOURCE


def record(event: dict[str, Any]) -> None:
    """Note a bounce or a complaint at the person and in the history. No more mail goes to a dead address.

    A bounce that is not permanent, such as a full mailbox, is only part of the history.

    Raises:
        KeyError, TypeError: If it is no event of SES.
        Unavailable: If DynamoDB does not answer.
    """
    detail = event["detail"]
    kind = {"Bounce": BOUNCED, "Complaint": COMPLAINED}.get(detail["eventType"])
    if kind is None:
        return
    observability.count(METRICS[kind])
    tags = detail["mail"].get("tags", {})
    user_id, event_id = (str((tags.get(name) or [""])[0]) for name in ("user", "event"))
    user = User.find(user_id)
    if user is None:
        return
    if kind == COMPLAINED or detail["bounce"].get("bounceType") == PERMANENT:
        _give_up(user, f"{kind} {event['time']}", _recipients(detail))
    if event_id:
        history.record_problem(event_id, user_id, f"mail.{kind}", at=event["time"], message=detail["mail"]["messageId"])


def _give_up(user: User, problem: str, recipients: set[str]) -> None:
    """Mark the address of a person, unless the person has another one meanwhile."""
    if is_address(str(user.email)) and in_ascii(str(user.email)).lower() in recipients:
        conditional_update(User(user.user_id), [User.email_problem.set(problem)], User.email == user.email)


def _recipients(detail: dict[str, Any]) -> set[str]:
    listed = detail.get("bounce", {}).get("bouncedRecipients", [])
    listed = listed or detail.get("complaint", {}).get("complainedRecipients", [])
    return {str(one["emailAddress"]).lower() for one in listed}
