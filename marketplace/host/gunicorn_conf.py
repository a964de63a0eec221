"""How the site is served; every value can be set in the environment.

gunicorn keeps the processes, marketplace.host.web what runs in each: threads, because most requests
wait for the database. The application is loaded once and forked. There is no access log: addresses
of the site carry tokens, and visitors' own addresses are personal data.
"""

import os

from marketplace.host import permissions

permissions.keep_private()
wsgi_app = "marketplace.wsgi"
bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
worker_class = "marketplace.host.web.WebWorker"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 8)
preload_app = True
timeout = 120
graceful_timeout = 4
accesslog = None
# Its control socket would lie in the home folder.
control_socket_disable = True
