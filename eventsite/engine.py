"""The embedded DynamoDB engine."""


def endpoint() -> str:
    raise NotImplementedError
