"""Ports of loopback that no other test of this machine uses now. The Python side of tests/port_block.hpp, with the same numbers."""
import socket

FIRST, PORTS, BLOCKS = 10000, 50, 190


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


class PortBlock:
    """first..last are ours until close(), or the end of this process."""

    def __init__(self):
        for number in range(BLOCKS):
            self.marker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.marker.bind(f"\0davit-test-ports-{number}")
            except OSError:
                self.marker.close()
                continue
            self.first = FIRST + PORTS * number
            self.last = self.first + PORTS - 1
            self.turn = self.first
            return
        raise AssertionError("no block of ports is free: are there tests that hang?")

    def next(self):
        """One that nobody listens on, never the same twice."""
        while self.turn <= self.last:
            self.turn += 1
            if is_free(self.turn - 1):
                return self.turn - 1
        raise AssertionError(f"no port is left up to {self.last}")

    def close(self):
        self.marker.close()
