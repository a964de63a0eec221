"""How gunicorn serves the site; every value can be set in the environment.

Threads, because most requests wait for the database or for bytes. The application is loaded once
and forked. There is no access log: addresses of the site carry tokens, and visitors' own addresses
are personal data.
"""

import os

wsgi_app = "marketplace.wsgi"
bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 8)
preload_app = True
timeout = 120
graceful_timeout = 4
keepalive = 15
accesslog = None
# Its control socket would lie in the home folder.
control_socket_disable = True
