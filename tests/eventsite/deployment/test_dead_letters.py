"""`manage.py dead_letters`: what a stage could not deliver, listed, sent again, dropped."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command

from eventsite.deployment import dead_letters

DEAD, NOTICES = "letters-dead", "letters-notices"
RECORD = {"eventName": "MODIFY", "dynamodb": {"Keys": {"eventId": {"S": "party"}, "item": {"S": "seats"}}}}
NOTE = {"batchSize": 3, "approximateArrivalOfFirstRecord": "2026-11-20T09:00:00Z"}
BODIES = {
    json.dumps(
        {"outlet": "mail", "notice": {"id": "party.1.2.promoted", "subject": "bob"}}
    ): "mail: party.1.2.promoted",
    json.dumps({"error": "KeyError", "record": RECORD}): "record: MODIFY of party seats, KeyError",
    json.dumps({"DDBStreamBatchInfo": NOTE}): "records: 3 since 2026-11-20T09:00:00Z",
    "[1]": "something that is none of ours",
    "nonsense": "something that is none of ours",
}


@pytest.fixture
def sqs(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    Path(".env.dev").write_text("AWS_REGION=eu-west-1\nS3_BUCKET=packages\nAUTH_MODE=open\n")
    for name, value in {"ENDPOINT_URL": engine, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    session: Any = boto3.Session("test", "test", region_name="eu-west-1")
    client = session.client("sqs", endpoint_url=engine)
    urls = [client.create_queue(QueueName=name)["QueueUrl"] for name in (DEAD, NOTICES)]
    yield client
    for url in urls:
        client.delete_queue(QueueUrl=url)


@pytest.fixture
def letters(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters of all kinds, in the queue of the stage."""
    dead, notices = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in (DEAD, NOTICES))
    outputs = {"DeadLetterQueueUrl": dead, "NoticeQueueUrl": notices}
    monkeypatch.setattr(dead_letters, "outputs_of", lambda chosen: outputs)
    reason = {"reason": {"DataType": "String", "StringValue": "given up"}}
    for body in BODIES:
        sqs.send_message(QueueUrl=dead, MessageBody=body, MessageAttributes=reason)


def run(*options: str) -> list[str]:
    out = StringIO()
    call_command("dead_letters", "dev", *options, stdout=out)
    return out.getvalue().splitlines()


def bodies(sqs: Any, name: str) -> list[str]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return sorted(message["Body"] for message in found)


@pytest.mark.usefixtures("letters")
def test_all_letters_are_listed_with_why_and_stay(sqs: Any) -> None:
    *listed, last = run()
    assert sorted(line.split(maxsplit=2)[2] for line in listed) == sorted(
        f"{about} (given up)" for about in BODIES.values()
    )
    assert last == "5 there; --resend sends them again."
    assert "bob" not in " ".join(listed)
    assert (bodies(sqs, DEAD), bodies(sqs, NOTICES)) == (sorted(BODIES), [])


@pytest.mark.usefixtures("letters")
def test_letters_are_sent_again(sqs: Any) -> None:
    assert run("--resend")[-1] == "5 will be sent again."
    assert (bodies(sqs, DEAD), bodies(sqs, NOTICES)) == ([], sorted(BODIES))


@pytest.mark.usefixtures("letters")
def test_a_letter_that_comes_back_is_not_sent_for_ever(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line, dead = dead_letters.line, sqs.get_queue_url(QueueName=DEAD)["QueueUrl"]

    def comes_back(letter: Any) -> str:
        sqs.send_message(QueueUrl=dead, MessageBody=letter.body)
        return line(letter)

    monkeypatch.setattr(dead_letters, "line", comes_back)
    assert run("--resend")[-1] == "5 will be sent again."
    assert bodies(sqs, NOTICES) == sorted(BODIES)


@pytest.mark.usefixtures("letters")
def test_letters_are_dropped(sqs: Any) -> None:
    assert run("--drop")[-1] == "5 dropped."
    assert (bodies(sqs, DEAD), bodies(sqs, NOTICES)) == ([], [])


def test_a_stage_without_notices_has_none(sqs: Any) -> None:
    with pytest.raises(CommandError, match="Stage dev has no dead letters"):
        call_command("dead_letters", "dev")
