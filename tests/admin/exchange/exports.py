"""Exports as Exchange and IIS write them: MetaBase.xml, and what ConvertTo-Json makes of connectors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from admin.exchange.iplists import ip_list

HEAD = (
    '<?xml version ="1.0"?>\n<configuration xmlns="urn:microsoft-catalog:XML_Metabase_V64_0">\n<MBProperty>\n'
)
TAIL = "</MBProperty>\n</configuration>\n"
SERVICE = """<IIsSmtpService Location ="/LM/SmtpSvc"
\t\tConnectionTimeout="600"
\t\tDefaultDomain="old.corp.example"
\t\tFullyQualifiedDomainName="mail.corp.example"
\t\tMaxMessageSize="2097152"
\t\tMaxRecipients="100"
\t\tMaxSessionSize="10485760"
\t\tSmtpRemoteProgressiveRetry="15,30,60,240"
\t>
\t<Custom
\t\tName="AuthFlags"
\t\tID="6000"
\t\tValue="AuthBasic | AuthAnonymous | AuthNTLM"
\t\tType="DWORD"
\t\tUserType="IIS_MD_UT_SERVER"
\t\tAttributes="INHERIT"
\t/>
\t<Custom
\t\tName="UnknownName_61537"
\t\tID="61537"
\t\tValue="0"
\t\tType="DWORD"
\t\tUserType="IIS_MD_UT_SERVER"
\t\tAttributes="NO_ATTRIBUTES"
\t/>
</IIsSmtpService>
"""
ONLY_THE_LIST = ip_list(["127.0.0.1/32", "10.0.5.7/32", "10.0.6.0/24"]).hex()
PUBLIC = ip_list(["10.0.5.7/32", "203.0.113.9/32"]).hex()
ALL_EXCEPT = ip_list(denied=["10.0.9.0/24"]).hex()
NOBODY = ip_list(["0.0.0.0/32"]).hex()


def smtp_server(number: int = 1, **properties: str) -> str:
    """One virtual server; what is not said is as the default one has it."""
    said = {
        "ServerBindings": ":25:", "ServerComment": "Default SMTP Virtual Server",
        "RelayIpList": ONLY_THE_LIST, "RelayForAuth": "0", "MaxConnections": "4294967295",
        "DropDirectory": "C:\\inetpub\\mailroot\\Drop", "ServerState": "2",
        "ServerAutoStart": "TRUE", **properties,
    }  # fmt: skip
    lines = "".join(f'\t\t{name}="{value}"\n' for name, value in said.items())
    return f'<IIsSmtpServer\tLocation ="/LM/SmtpSvc/{number}"\n{lines}\t>\n</IIsSmtpServer>\n'


def key(kind: str, location: str, **properties: str) -> str:
    lines = "".join(f'\t\t{name}="{value}"\n' for name, value in properties.items())
    return f'<{kind}\tLocation ="{location}"\n{lines}\t>\n</{kind}>\n'


def metabase(*keys: str) -> bytes:
    """Without keys: a service with its default virtual server and a local domain."""
    inner = keys or (SERVICE, smtp_server(), domain("corp.example", 32))
    return (HEAD + "".join(inner) + TAIL).encode()


def domain(name: str, action: int, **properties: str) -> str:
    return key("IIsSmtpDomain", f"/LM/SmtpSvc/1/Domain/{name}", RouteAction=str(action), **properties)


EVERYWHERE = ["::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0-255.255.255.255"]


def connector(name: str, **properties: Any) -> dict[str, Any]:
    """A receive connector as an implicit remoting session gives it: most values are text."""
    return {
        "AuthMechanism": "Tls, Integrated, BasicAuth, BasicAuthRequireTLS", "Banner": None,
        "BinaryMimeEnabled": True, "Bindings": ["[::]:25", "0.0.0.0:25"], "ChunkingEnabled": True,
        "Comment": "", "ConnectionInactivityTimeout": "00:05:00", "ConnectionTimeout": "00:10:00",
        "Enabled": True, "Fqdn": "ex01.corp.example", "Identity": f"EX01\\{name}", "MaxHopCount": 60,
        "MaxInboundConnection": "5000", "MaxInboundConnectionPerSource": "20",
        "MaxMessageSize": "36 MB (37,748,736 bytes)", "MaxProtocolErrors": "5",
        "MaxRecipientsPerMessage": 200,
        "MessageRateLimit": "Unlimited", "Name": name, "PermissionGroups": "AnonymousUsers, ExchangeServers",
        "RemoteIPRanges": EVERYWHERE, "RequireTLS": False, "Server": "EX01", "TarpitInterval": "00:00:05",
        "TransportRole": "FrontendTransport", **properties,
    }  # fmt: skip


FRONT = connector("Default Frontend EX01", AuthMechanism="Tls")
CLIENT = connector(
    "Client Frontend EX01", Bindings=["[::]:587", "0.0.0.0:587"], PermissionGroups="ExchangeUsers",
    AuthMechanism="Tls, Integrated, BasicAuth, BasicAuthRequireTLS",
)  # fmt: skip
RELAY = connector(
    "Relay", AuthMechanism="Tls", PermissionGroups="AnonymousUsers, Custom",
    RemoteIPRanges=["10.0.5.7", "10.0.6.0/24", "10.0.7.10-10.0.7.20"],
)  # fmt: skip
PERMISSION = {
    "Identity": "EX01\\Relay", "User": "NT AUTHORITY\\ANONYMOUS LOGON", "Deny": False,
    "AccessRights": ["ExtendedRight"], "ExtendedRights": ["ms-Exch-SMTP-Accept-Any-Recipient"],
}  # fmt: skip
SEND = {
    "Name": "Internet", "AddressSpaces": ["SMTP:*;1"], "DNSRoutingEnabled": False, "Enabled": True,
    "Port": 25, "SmartHosts": ["[192.0.2.25]", "smart2.example"], "RequireTLS": True, "TlsAuthLevel": None,
    "SmartHostAuthMechanism": "None", "MaxMessageSize": "35 MB (36,700,160 bytes)",
}  # fmt: skip
DOMAIN = {
    "Name": "corp.example",
    "DomainName": "corp.example",
    "DomainType": "Authoritative",
    "Default": True,
}


def as_json(*things: Mapping[str, Any]) -> str:
    """As ConvertTo-Json prints them: one alone, many as a list."""
    return json.dumps(things[0] if len(things) == 1 else list(things), indent=4)
