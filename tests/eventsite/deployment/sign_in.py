"""People in a Cognito user pool of an emulated AWS, for a stage in which they sign in."""

from dataclasses import dataclass
from typing import Any

from tests.eventsite.deployment.zappa_project import Project

PASSWORD = "Correct-horse-1"
FLOWS = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@dataclass(frozen=True)
class Pool:
    """A user pool and its app client."""

    cognito: Any
    endpoint: str
    id: str
    client_id: str

    @property
    def choices(self) -> dict[str, str]:
        """What a stage's file says about the pool; its keys are the emulator's, not Amazon's."""
        return {
            "AUTH_MODE": "cognito",
            "COGNITO_USER_POOL_ID": self.id,
            "COGNITO_CLIENT_ID": self.client_id,
            "COGNITO_JWKS_URL": f"{self.endpoint}/{self.id}/.well-known/jwks.json",
        }

    def token(self, name: str, *groups: str) -> str:
        """The access token of a new person in these groups."""
        person = {"UserPoolId": self.id, "Username": name}
        self.cognito.admin_create_user(**person, MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(**person, Password=PASSWORD, Permanent=True)
        for group in groups:
            self.cognito.create_group(UserPoolId=self.id, GroupName=group)
            self.cognito.admin_add_user_to_group(**person, GroupName=group)
        answer = self.cognito.admin_initiate_auth(
            UserPoolId=self.id,
            ClientId=self.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])


def make_pool(project: Project) -> Pool:
    """Make a pool with a client that gives tokens for passwords."""
    cognito = project.client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
    made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="api", ExplicitAuthFlows=FLOWS)
    return Pool(cognito, project.endpoint, pool_id, made["UserPoolClient"]["ClientId"])
