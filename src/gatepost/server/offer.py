"""What a virtual server offers in its reply to EHLO."""

from __future__ import annotations

from gatepost.config.schema import SmtpServer, TlsMode
from gatepost.policy.login import Channel, LoginRules, offered
from gatepost.smtp.extension import Extensions, TransactionLimits


def offer(settings: SmtpServer, channel: Channel) -> Extensions:
    """The extensions over this channel."""
    rules = LoginRules(settings.auth, settings.auth_in_clear)
    return Extensions(
        pipelining=True,
        size_bytes=settings.message_size_bytes,
        eight_bit_mime=True,
        smtputf8=True,
        chunking=True,
        dsn=True,
        enhanced_status_codes=True,
        starttls=not channel.tls and settings.tls in (TlsMode.OFFER, TlsMode.REQUIRE),
        auth=offered(rules, channel),
        limits=TransactionLimits(rcpt_max=settings.recipients_per_message),
    )
