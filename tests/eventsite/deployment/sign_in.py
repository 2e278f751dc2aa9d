"""People in the user pool of a stage on an emulated AWS."""

from typing import Any

from tests.eventsite.deployment.zappa_project import Project

PASSWORD = "Correct-horse-1"
FLOWS = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


class Pool:
    """The user pool that a stage's stack made, and its app client.

    Two things are the emulator's: its keys are not where Amazon's are, and people cannot type their passwords into its
    pages, so the client is allowed to send them.
    """

    def __init__(self, project: Project, stage: str) -> None:
        outputs = project.outputs(stage)
        self.id, self.client_id = outputs["UserPoolId"], outputs["UserPoolClientId"]
        self.cognito: Any = project.client("cognito-idp")
        self.cognito.update_user_pool_client(
            UserPoolId=self.id, ClientId=self.client_id, ClientName="api", ExplicitAuthFlows=FLOWS
        )
        project.set_variables(stage, COGNITO_JWKS_URL=f"{project.endpoint}/{self.id}/.well-known/jwks.json")

    def token(self, address: str) -> str:
        """The access token of a person, who is made if necessary."""
        found = self.cognito.list_users(UserPoolId=self.id, Filter=f'email = "{address}"')["Users"]
        name = found[0]["Username"] if found else self._make(address)
        person = {"UserPoolId": self.id, "Username": name}
        self.cognito.admin_set_user_password(**person, Password=PASSWORD, Permanent=True)
        answer = self.cognito.admin_initiate_auth(
            UserPoolId=self.id,
            ClientId=self.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])

    def _make(self, address: str) -> str:
        attributes = [{"Name": "email", "Value": address}]
        person = {"UserPoolId": self.id, "Username": address, "UserAttributes": attributes}
        return str(self.cognito.admin_create_user(**person, MessageAction="SUPPRESS")["User"]["Username"])
