"""The user pool of local runs, in the Cognito of the embedded engine. It is made on first use and kept.

Tokens are signed with the pool's keys, which it serves as AWS does, and its hosted UI signs in with a form. Only the
issuer in the tokens is AWS's URL, which no local run calls.
"""

from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.conf import settings

from eventsite.auth.permissions import ADMINS, ORGANIZERS
from eventsite.auth.user_pool import Pool
from eventsite.dynamodb import connection

NAME = "eventsite-local"
PASSWORD = "Local-runs-0nly!"  # noqa: S105 (of users that exist on this machine only)
FLOWS = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


class LocalPool(Pool):
    def allow(self, callback: str, logout: str) -> None:
        """Let the hosted UI send browsers back here, whatever port the server has."""
        cognito = client(url())
        ours = {"UserPoolId": self.pool_id, "ClientId": self.client_id}
        found = cognito.describe_user_pool_client(**ours)["UserPoolClient"]
        callbacks, logouts = found.get("CallbackURLs", []), found.get("LogoutURLs", [])
        if callback not in callbacks or logout not in logouts:
            hosted = _hosted(sorted({*callbacks, callback}), sorted({*logouts, logout}))
            cognito.update_user_pool_client(**ours, **hosted)


def pool() -> LocalPool:
    """Return the pool and its client. Raise `errors.Unavailable` if the engine cannot run."""
    return _pool(url())


def url() -> str:
    return connection.endpoint() or ""


@lru_cache(maxsize=1)
def _pool(endpoint: str) -> LocalPool:
    cognito = client(endpoint)
    pools = cognito.list_user_pools(MaxResults=60)["UserPools"]
    pool_id = next((found["Id"] for found in pools if found["Name"] == NAME), None) or _make_pool(cognito)
    clients = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=60)["UserPoolClients"]
    client_id = clients[0]["ClientId"] if clients else _make_client(cognito, pool_id)
    return LocalPool.of(pool_id, client_id, f"{endpoint}/{pool_id}/.well-known/jwks.json", endpoint)


@lru_cache(maxsize=1)
def client(endpoint: str) -> Any:
    from botocore.session import Session

    return Session().create_client(
        "cognito-idp",
        region_name=settings.AWS_REGION,
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 (any will do)
    )


def _make_pool(cognito: Any) -> str:
    pool_id = str(cognito.create_user_pool(PoolName=NAME)["UserPool"]["Id"])
    for group in (ORGANIZERS, ADMINS):
        cognito.create_group(UserPoolId=pool_id, GroupName=group)
    return pool_id


def _make_client(cognito: Any, pool_id: str) -> str:
    made = cognito.create_user_pool_client(UserPoolId=pool_id, **_hosted([], []))
    return str(made["UserPoolClient"]["ClientId"])


def _hosted(callbacks: list[str], logouts: list[str]) -> dict[str, Any]:
    return {
        "ClientName": NAME,
        "ExplicitAuthFlows": FLOWS,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": ["openid"],
        "SupportedIdentityProviders": ["COGNITO"],
        "CallbackURLs": callbacks,
        "LogoutURLs": logouts,
    }


def add_user(name: str, groups: list[str]) -> None:
    """Make a user with `PASSWORD` unless there is one, and add the user to groups."""
    cognito, pool_id = client(url()), pool().pool_id
    with suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(UserPoolId=pool_id, Username=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool_id, Username=name, Password=PASSWORD, Permanent=True)
    for group in groups:
        cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=name, GroupName=group)


def tokens(name: str) -> dict[str, str]:
    """Sign a user in. Return `AccessToken` and `IdToken`, among others."""
    answer = client(url()).admin_initiate_auth(
        UserPoolId=pool().pool_id,
        ClientId=pool().client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )
    result: dict[str, str] = answer["AuthenticationResult"]
    return result
