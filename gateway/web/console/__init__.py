"""The console: pages for officers, operators, auditors and the public, in three languages.

``table`` names every page once, with the right that it takes; the app is made from it.  Pages
are made on the server and work without JavaScript.  What may be seen is decided behind the
counter (``gateway.services``); here it is only worded and laid out.
"""

from gateway.web.console.app import create_console_app
from gateway.web.console.pages import ConsoleSettings
from gateway.web.console.table import PAGES

__all__ = ["PAGES", "ConsoleSettings", "create_console_app"]
