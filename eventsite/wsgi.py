"""The WSGI application: what Zappa's handler and any other WSGI server import."""

import logging
import os
import sys

import django
from django.conf import settings
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
django.setup(set_prefix=False)

from eventsite.env import warning_about_python  # noqa: E402 (it needs the settings)
from eventsite.web.wsgi import Application  # noqa: E402 (it needs the settings)

application = Application()

if sentence := warning_about_python(sys.version_info[:3]):
    logging.getLogger(__name__).warning(sentence)

if settings.ON_LAMBDA:  # load the views and the client of DynamoDB while the Lambda is initialized
    from eventsite.dynamodb.connection import connection

    list(get_resolver().url_patterns)
    connection().warm_up()
