"""The whole site, as `manage.py up` starts it, beside clients that take their time."""

from tests.running import running
from tests.slow import seconds_of, slow_clients

LARGE_FILE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


def test_two_hundred_slow_sockets_do_not_stop_the_site(tmp_path):
    with running(tmp_path / "data") as site, slow_clients(site.port) as slow:
        slow.headers(70)
        slow.bodies(70, "/accounts/login/")
        slow.readers(60, LARGE_FILE)
        assert [seconds_of(site.port) < 20 for _ in range(5)] == [True] * 5
        assert seconds_of(site.port, "/accounts/login/") < 20
