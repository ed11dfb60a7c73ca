"""Telling systemd, where a unit asks for it."""

from __future__ import annotations

import socket

from obslib.health import sd_notify


def test_the_message_reaches_the_units_socket(tmp_path):
    """One datagram, as sd_notify(3) wants it; a path and an abstract name both work."""
    for name in (str(tmp_path / "notify"), f"\0obslib-{tmp_path.name}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unit:
            unit.bind(name)
            assert sd_notify("READY=1\nSTATUS=ready", address=name.replace("\0", "@"))
            assert unit.recv(100) == b"READY=1\nSTATUS=ready"


def test_nobody_listening_is_no_error(tmp_path):
    """No unit, no socket, or a path that is too long: the message is lost and the caller goes on."""
    assert not sd_notify("READY=1", address="")
    assert not sd_notify("READY=1", address=str(tmp_path / "missing"))
    assert not sd_notify("READY=1", address="/" + "x" * 300)
