"""Access tables and clients of every kind, small enough to meet each other often."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import strategies as st

from gatepost.policy.access import Effect, Entry, Right, Table, parse_network, parse_principal
from gatepost.policy.facts import UNKNOWN, ClientCertificate, Facts, Identity

_PRINCIPALS = [
    "anyone",
    "anonymous",
    "authenticated",
    "user:ann",
    "user:root",
    "group:relay",
    "group:staff",
    "net:10.0.0.0/8",
    "net:10.0.5.0/24",
    "net:192.0.2.7",
    "net:2001:db8::/32",
    "host:mx.example.org",
    "certificate:scanner",
]
_NETWORKS = ("10.0.0.0/8", "10.0.5.0/24", "192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "::/0")
_PEERS = ("10.0.5.9", "10.1.0.1", "192.0.2.7", "203.0.113.5", "2001:db8::1", "2a00::1")

rights = st.sampled_from(Right)
effects = st.sampled_from(Effect)

entries = st.builds(
    Entry,
    effect=effects,
    rights=st.frozensets(rights, min_size=1),
    to=st.sampled_from([parse_principal(text) for text in _PRINCIPALS]),
    networks=st.none()
    | st.lists(st.sampled_from([parse_network(n) for n in _NETWORKS]), max_size=2).map(tuple),
    tls=st.booleans(),
    line=st.integers(1, 99),
)
denies = entries.filter(lambda entry: entry.effect is Effect.DENY)
allows = entries.filter(lambda entry: entry.effect is Effect.ALLOW)
tables = st.lists(entries, max_size=8).map(tuple).map(Table)

groups = st.frozensets(st.sampled_from(["relay", "staff"]))
identities = st.builds(
    lambda name, groups, privileged, guessable: Identity(
        name, frozenset({name}), frozenset(), groups, privileged, guessable
    ),
    name=st.sampled_from(["ann", "root", "bob"]),
    groups=groups | st.just(UNKNOWN),
    privileged=st.booleans(),
    guessable=st.booleans(),
)
hostnames = st.frozensets(st.sampled_from(["mx.example.org", "other.example.org"]))
facts = st.builds(
    Facts,
    peer=st.sampled_from([ip_address(peer) for peer in _PEERS]),
    tls=st.booleans(),
    identity=st.none() | identities,
    hostnames=hostnames | st.just(UNKNOWN),
    certificate=st.none()
    | st.sampled_from([ClientCertificate(name, frozenset({name})) for name in ("scanner", "other")]),
)
