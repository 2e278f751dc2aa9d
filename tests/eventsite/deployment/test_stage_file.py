"""What the operator decides about a stage, and what follows from it."""

import re
import sys
from pathlib import Path

import pytest
from click import ClickException

from eventsite.deployment import stage_file
from eventsite.deployment.lambda_package import ROOT
from tests import variables

CHOSEN = {"AWS_REGION": "eu-west-1", "S3_BUCKET": "packages", "AUTH_MODE": "open"}
SIGN_IN = {"AUTH_MODE": "cognito", "COGNITO_USER_POOL_ID": "eu-west-1_AbCdEf123", "COGNITO_CLIENT_ID": "client"}


def chosen(directory: Path, **values: str) -> stage_file.Choices:
    """The choices in a file with these values, of the stage `dev`."""
    (directory / ".env.dev").write_text("".join(f"{name}={value}\n" for name, value in (CHOSEN | values).items()))
    return stage_file.read("dev", directory)


def test_a_stage_without_a_file_is_undecided(tmp_path: Path) -> None:
    with pytest.raises(ClickException, match=r"copy \.env\.example to \.env\.dev"):
        stage_file.read("dev", tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_editor_may_mark_the_encoding(tmp_path: Path, encoding: str) -> None:
    text = "".join(f"{name}={value}\r\n" for name, value in (CHOSEN | {"ALARM_EMAIL": "ä@b.org"}).items())
    (tmp_path / ".env.dev").write_text(text, encoding=encoding)
    assert stage_file.read("dev", tmp_path).values == CHOSEN | {"ALARM_EMAIL": "ä@b.org"}


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_of_another_encoding_is_refused_with_a_sentence(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env.dev").write_text("ALARM_EMAIL=ä@b.org\n", encoding=encoding)
    with pytest.raises(ClickException, match=r"^\.env\.dev is no text in UTF-8: save it as UTF-8\.$"):
        stage_file.read("dev", tmp_path)


@pytest.mark.parametrize("name", sorted(stage_file.NEEDED))
def test_a_missing_decision_is_asked_for_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClickException, match=rf"\.env\.dev does not decide yet: {name}\."):
        chosen(tmp_path, **{name: ""})


@pytest.mark.parametrize("name", ["COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID"])
def test_a_pool_and_its_client_are_given_together_or_the_stack_makes_them(tmp_path: Path, name: str) -> None:
    given = chosen(tmp_path, **SIGN_IN)
    assert not given.makes_user_pool
    assert given.environment({}, {})["COGNITO_CLIENT_ID"] == "client"
    with pytest.raises(ClickException, match="together"):
        chosen(tmp_path, **(SIGN_IN | {name: ""}))
    made = chosen(tmp_path, AUTH_MODE="cognito")
    assert made.makes_user_pool
    assert made.environment({}, {"UserPoolId": "eu-west-1_Made"})["COGNITO_USER_POOL_ID"] == "eu-west-1_Made"


@pytest.mark.parametrize("name", sorted(stage_file.NEEDED_BY_OIDC))
def test_another_provider_needs_its_issuer_and_a_client(tmp_path: Path, name: str) -> None:
    both = {"AUTH_MODE": "oidc", "OIDC_ISSUER": "https://id.example.org", "OIDC_CLIENT_ID": "events"}
    assert chosen(tmp_path, **both).environment({}, {})["OIDC_ISSUER"] == "https://id.example.org"
    with pytest.raises(ClickException, match=name):
        chosen(tmp_path, **(both | {name: ""}))


def test_outputs_of_the_stack_reach_the_function_unless_the_file_has_them(tmp_path: Path) -> None:
    outputs = {"NoticeQueueUrl": "https://sqs/notices", "ApiEndpoint": "https://api/dev", "RoleArn": "arn:role"}
    environment = chosen(tmp_path).environment({}, outputs)
    assert environment["NOTICE_QUEUE_URL"] == "https://sqs/notices"
    assert environment["PUBLIC_URL"] == "https://api/dev"
    assert "arn:role" not in environment.values()
    assert chosen(tmp_path, PUBLIC_URL="https://a.b").environment({}, outputs)["PUBLIC_URL"] == "https://a.b"
    assert chosen(tmp_path).environment(environment, {})["NOTICE_QUEUE_URL"] == ""


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"ALARM_EMAIL": "a@b.org", "ALARM_TOPIC": "arn:topic"}, "not both"),
        ({"MONTHLY_BUDGET": "20"}, "needs ALARM_EMAIL or ALARM_TOPIC"),
        ({"SIGN_IN_CODES": "yes"}, "SIGN_IN_CODES to true or false"),
    ],
)
def test_choices_that_do_not_fit_are_refused(tmp_path: Path, values: dict[str, str], sentence: str) -> None:
    with pytest.raises(ClickException, match=sentence):
        chosen(tmp_path, **values)


def test_all_missing_decisions_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ClickException, match=r"decide yet: S3_BUCKET, OIDC_ISSUER\."):
        chosen(tmp_path, S3_BUCKET="", AUTH_MODE="oidc", OIDC_CLIENT_ID="abc")
    with pytest.raises(ClickException, match=r"\.env\.dev sets DEBUG, which means nothing here"):
        chosen(tmp_path, DEBUG="true")


def test_what_means_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClickException, match="sets AUTHMODE, which means nothing here"):
        chosen(tmp_path, AUTHMODE="cognito")


def test_a_domain_needs_its_certificate(tmp_path: Path) -> None:
    with pytest.raises(ClickException, match="together"):
        chosen(tmp_path, DOMAIN="events.example.org")
    both = chosen(tmp_path, DOMAIN="events.example.org", CERTIFICATE_ARN="arn:aws:acm:us-east-1:1:certificate/c")
    environment = both.environment({}, {})
    assert (environment["ALLOWED_HOSTS"], environment.get("BASE_PATH")) == ("events.example.org", None)
    assert both.zappa_settings()["domain"] == "events.example.org"


def test_the_shell_of_the_operator_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_MODE", "open")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    with pytest.raises(ClickException, match="AUTH_MODE"):
        chosen(tmp_path, AUTH_MODE="")
    assert chosen(tmp_path).environment({}, {})["LOG_LEVEL"] == "INFO"


def test_the_secret_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = chosen(tmp_path).environment({}, {}), chosen(tmp_path).environment({}, {})
    assert len(first["SECRET_KEY"]) >= 50
    assert first["SECRET_KEY"] != second["SECRET_KEY"]
    assert chosen(tmp_path).environment(first, {})["SECRET_KEY"] == first["SECRET_KEY"]
    assert chosen(tmp_path, SECRET_KEY="mine").environment(first, {})["SECRET_KEY"] == "mine"


def test_a_choice_that_is_gone_is_emptied(tmp_path: Path) -> None:
    deployed = {"BASE_PATH": "/dev", "CORS_ALLOWED_ORIGINS": "https://example.org", "SET_BY_HAND": "kept by Zappa"}
    moved = chosen(tmp_path, DOMAIN="events.example.org", CERTIFICATE_ARN="arn:aws:acm:us-east-1:1:certificate/c")
    environment = moved.environment(deployed, {})
    assert (environment["BASE_PATH"], environment["CORS_ALLOWED_ORIGINS"]) == ("", "")
    assert "SET_BY_HAND" not in environment


def test_two_stages_share_no_table(tmp_path: Path) -> None:
    assert chosen(tmp_path).environment({}, {})["DYNAMODB_TABLE_PREFIX"] == "eventsite-dev-"
    (tmp_path / ".env.dev").rename(tmp_path / ".env.prod")
    prod = stage_file.read("prod", tmp_path).environment({}, {})
    assert (prod["DYNAMODB_TABLE_PREFIX"], prod["BASE_PATH"]) == ("eventsite-prod-", "/prod")


def test_a_stage_may_name_its_tables(tmp_path: Path) -> None:
    renamed = chosen(tmp_path, DYNAMODB_TABLE_PREFIX="club-", USERS_TABLE_NAME="people")
    assert renamed.tables == {"events": "club-events", "users": "people", "registrations": "club-registrations"}
    environment = renamed.environment({}, {})
    assert (environment["DYNAMODB_TABLE_PREFIX"], environment["USERS_TABLE_NAME"]) == ("club-", "people")
    assert chosen(tmp_path).environment(environment, {})["USERS_TABLE_NAME"] == ""


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"DYNAMODB_TABLE_PREFIX": "eventsite-prod-"}, r"\.env\.dev and \.env\.prod name the same table"),
        ({"USERS_TABLE_NAME": "eventsite-prod-users"}, r"name the same table, eventsite-prod-users"),
        ({"USERS_TABLE_NAME": "one", "EVENTS_TABLE_NAME": "one"}, "gives two tables the same name"),
    ],
)
def test_no_table_is_named_twice(tmp_path: Path, names: dict[str, str], sentence: str) -> None:
    (tmp_path / ".env.prod").write_text("AUTH_MODE=open\n")
    (tmp_path / ".env.example").write_text((ROOT / ".env.example").read_text())
    assert chosen(tmp_path)
    with pytest.raises(ClickException, match=sentence):
        chosen(tmp_path, **names)


def test_starting_from_a_snapshot_is_a_choice_where_there_are_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 12))
    assert chosen(tmp_path, SNAP_START="false").zappa_settings()["snap_start"] == "None"  # Zappa's word
    assert chosen(tmp_path, SNAP_START="true").zappa_settings()["snap_start"] == "PublishedVersions"
    monkeypatch.setattr(sys, "version_info", (3, 11))
    with pytest.raises(ClickException, match=r"from Python 3\.12 on"):
        chosen(tmp_path, SNAP_START="true")


def test_the_access_log_is_a_choice_of_the_stack(tmp_path: Path) -> None:
    assert "ACCESS_LOG" not in chosen(tmp_path, ACCESS_LOG="true").environment({}, {})
    with pytest.raises(ClickException, match="ACCESS_LOG to true or false"):
        chosen(tmp_path, ACCESS_LOG="yes")


def test_the_example_names_all_there_is() -> None:
    assert set(re.findall(r"^#?(\w+)=", stage_file.EXAMPLE.read_text(), re.MULTILINE)) >= (
        stage_file.FOR_ZAPPA | stage_file.FOR_THE_STACK | set(stage_file.NEEDED) | set(stage_file.NEEDED_BY_OIDC)
    )


def test_every_variable_is_for_a_stage_to_choose_or_not_by_decision() -> None:
    by_the_stage = {"AWS_REGION", "AWS_DEFAULT_REGION", "BASE_PATH", "NOTICE_QUEUE_URL", "NOTICE_DEAD_LETTER_URL"}
    for_local_runs = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "DEBUG", "LOCAL_DYNAMODB_DIR"}
    not_chosen = by_the_stage | for_local_runs | variables.OF_AWS
    assert variables.read_by_the_settings() == stage_file.FOR_THE_LAMBDA | not_chosen


def test_the_example_decides_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env.dev").write_text((ROOT / ".env.example").read_text())
    with pytest.raises(ClickException, match="AWS_REGION, S3_BUCKET, AUTH_MODE"):
        stage_file.read("dev", tmp_path)
