"""Pebble, the ACME authority of Let's Encrypt's own tests, and a name server that knows every name."""

from __future__ import annotations

import json
import ssl
import urllib.request
from pathlib import Path

from live import loopback
from live.authority import Authority
from live.program import Program

DIRECTORY, MANAGEMENT, HTTP, TLS, DNS, DNS_MANAGEMENT = 14000, 15000, 5002, 5001, 8053, 8055


class Pebble:
    """It runs at `host`, and looks for names at ports HTTP and TLS of that same address."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.host = loopback.address(DIRECTORY, MANAGEMENT, HTTP, TLS, DNS, DNS_MANAGEMENT)
        self.ca_file = authority.ca_file
        certificate = authority.issue("localhost", self.host)
        configuration = folder / "pebble.json"
        settings = {
            "listenAddress": f"{self.host}:{DIRECTORY}",
            "managementListenAddress": f"{self.host}:{MANAGEMENT}",
            "certificate": str(certificate.chain),
            "privateKey": str(certificate.key),
            "httpPort": HTTP,
            "tlsPort": TLS,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
        }
        configuration.write_text(json.dumps({"pebble": settings}))
        self._names = Program(
            ["pebble-challtestsrv", "-dns01", f"{self.host}:{DNS}", "-http01", "", "-https01", "",
             "-tlsalpn01", "", "-management", f"{self.host}:{DNS_MANAGEMENT}",
             "-defaultIPv4", self.host, "-defaultIPv6", ""],
            folder=folder,
        )  # fmt: skip
        self._program = Program(
            ["pebble", "-config", configuration, "-dnsserver", f"{self.host}:{DNS}"],
            folder=folder,
            environment={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5"},
        )
        try:
            self._program.wait_for_port(self.host, MANAGEMENT)
            self._program.wait_for_port(self.host, DIRECTORY)
        except BaseException:
            self.stop()
            raise

    @property
    def directory(self) -> str:
        return f"https://{self.host}:{DIRECTORY}/dir"

    @property
    def root(self) -> str:
        """The certificate under which it issues; another each time it starts."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        place = f"https://{self.host}:{MANAGEMENT}/roots/0"
        with urllib.request.urlopen(place, context=context, timeout=60) as answer:
            return str(answer.read().decode())

    @property
    def log(self) -> str:
        return self._program.output

    def stop(self) -> None:
        self._program.kill()
        self._names.kill()
