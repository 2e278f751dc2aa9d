"""What the Lambda may do."""

import json
from typing import Any

from eventsite.deployment import iam_policy, stage_file
from eventsite.dynamodb.base_model import table_models

ACCOUNT = iam_policy.Account("aws", "eu-west-1", "123456789012")


def statements() -> dict[str, dict[str, Any]]:
    tables = stage_file.Choices("dev", {}).tables.values()
    document = json.loads(iam_policy.document(ACCOUNT, function="eventsite-dev", tables=tables))
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_no_action_is_a_pattern_and_only_tracing_is_for_everything() -> None:
    for name, statement in statements().items():
        assert not [action for action in statement["Action"] if "*" in action]
        assert ("*" in statement["Resource"]) == (name == "Tracing")


def test_the_tables_are_those_of_the_models() -> None:
    names = {model.Meta.table_name.rpartition("-")[2] for model in table_models()}
    assert names == set(stage_file.TABLES)
    assert statements()["Tables"]["Resource"] == [
        f"arn:aws:dynamodb:eu-west-1:123456789012:table/eventsite-dev-{name}" for name in stage_file.TABLES
    ]


def test_tables_are_neither_made_nor_dropped_nor_described() -> None:
    actions = {action for statement in statements().values() for action in statement["Action"]}
    assert not [action for action in actions if action.startswith("dynamodb:") and "Table" in action]
