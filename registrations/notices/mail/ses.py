"""Send a mail by SES, or keep it as a file in a local run."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from django.conf import settings
from tenacity import Retrying, retry_if_exception_type, wait_random

from eventsite import clock
from eventsite.dynamodb.retries import time_left
from registrations.notices import aws

if TYPE_CHECKING:
    from registrations.notices.mail.messages import Mail

ONE_SECONDS = 8.0  # seconds; with less time left, no mail is begun: SES may time out only after 7 s
TURN_SECONDS, TURNS = 2.0, 20  # the longest wait in seconds of a mail that SES throttles, and the most waits
THROTTLING = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})


class NotSent(Exception):
    """SES did not accept the mail."""


class Throttled(NotSent):
    """SES accepts no more mails this second."""


class PerhapsSent(Exception):
    """SES did not answer. The mail may have been sent."""


def send_in_turn(mail: "Mail") -> None:
    """Send a mail as `send` does, as soon as SES accepts it and until the time is up.

    Mails wait here, not in the queue. So each attempt of a page sends some of its mails, and a few attempts are enough
    at any rate of SES.
    """
    Retrying(
        retry=retry_if_exception_type(Throttled),
        wait=wait_random(0, TURN_SECONDS),
        stop=lambda state: state.attempt_number >= TURNS or time_left() < ONE_SECONDS + TURN_SECONDS,
        reraise=True,
    )(send, mail)


def send(mail: "Mail") -> None:
    """Send a mail by SES, or write it to a file in a local run.

    Raises:
        NotSent: SES did not accept it.
        PerhapsSent: SES did not answer.
    """
    if settings.LOCAL:
        _keep(mail)
        return
    reporting: dict[str, Any] = {}
    if settings.MAIL_CONFIGURATION_SET:  # without one, SES neither reports bounces nor accepts tags
        tags = [{"Name": name, "Value": value} for name, value in mail.tags.items()]
        reporting = {"ConfigurationSetName": settings.MAIL_CONFIGURATION_SET, "EmailTags": tags}
    try:
        aws.client("sesv2").send_email(
            FromEmailAddress=settings.MAIL_FROM,
            Destination={"ToAddresses": [mail.recipient]},
            Content={"Raw": {"Data": mail.as_bytes()}},
            **reporting,
        )
    except ClientError as error:
        raise (Throttled if error.response["Error"].get("Code") in THROTTLING else NotSent) from error
    except HTTPClientError as error:
        raise PerhapsSent from error
    except BotoCoreError as error:  # before anything was sent: no connection, no credentials, no region
        raise NotSent from error


def _keep(mail: "Mail") -> None:
    directory = settings.LOCAL_DYNAMODB_DIR / "mail"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # mails are private
    name = f"{clock.now().replace(':', '')}-{mail['Message-ID'].strip('<>').partition('@')[0]}"
    draft = directory / f".{name}"
    draft.write_bytes(mail.as_bytes())
    draft.rename(directory / f"{name}.eml")
