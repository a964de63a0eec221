#!/usr/bin/env python
"""Django's command line for Commonhold."""

import os
import sys

from django.core.management import execute_from_command_line

from marketplace.host import permissions

# What these write belongs to the checkout, not into DATA_DIR.
FOR_DEVELOPERS = {"makemessages", "makemigrations"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    if not FOR_DEVELOPERS & set(sys.argv[1:2]):
        permissions.keep_private()
    execute_from_command_line(sys.argv)
