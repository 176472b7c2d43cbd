"""The entries of `block_lists`: a domain, and the answers that count."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator

from gatepost.config.value import ascii_domain, shown, wrong
from gatepost.policy.blocklist import BlockList, NoBlockList, block_list


def _entry(value: object) -> BlockList:
    if isinstance(value, BlockList):
        return value
    remedy = 'write "zen.example.org", or "zen.example.org=127.0.0.2-11"'
    if not isinstance(value, str):
        raise wrong(f"{shown(value)} is not a text", remedy)
    try:
        found = block_list(value)
    except NoBlockList as problem:
        what, _, better = str(problem).partition("; ")
        raise wrong(what, better) from None
    domain = ascii_domain(found.domain)
    if domain is None:
        raise wrong(f"{shown(found.domain)} is not a domain name", remedy)
    return BlockList(domain, found.codes)


Entry = Annotated[BlockList, PlainValidator(_entry)]
