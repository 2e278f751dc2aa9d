"""Messages of a form for the next page, in a signed cookie."""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class Messages(CookieStorage):
    """Messages in a cookie of this stage. Django's own would go to all stages of a host."""

    def update(self, response: Any) -> Any:
        unstored = super().update(response)
        if cookie := response.cookies.get(self.cookie_name):
            cookie["path"] = settings.SESSION_COOKIE_PATH
        return unstored
