#!/usr/bin/env python
"""Django's command line for eventsite: runserver, shell, create_tables and the rest."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    from django.core.exceptions import ImproperlyConfigured

    from eventsite.management.command_line import CommandLine

    try:
        CommandLine(sys.argv).execute()
    except ImproperlyConfigured as refusal:  # the settings, as a rule, which say in a sentence what to change
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"Error: {refusal}")


if __name__ == "__main__":
    main()
