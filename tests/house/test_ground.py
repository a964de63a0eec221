"""The ground that the other tests stand on."""

import socket

import pytest
from django.db import connection
from pytest_socket import SocketConnectBlockedError


@pytest.mark.django_db
def test_the_database_is_postgresql():
    assert connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower('ÄÖÜ'), current_setting('TimeZone')")
        assert cursor.fetchone() == ("äöü", "UTC")


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_only_this_machine_is_reachable():
    with socket.socket() as outside, pytest.raises(SocketConnectBlockedError):
        outside.connect(("192.0.2.1", 80))
