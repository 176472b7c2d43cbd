"""Every changing act of an operator, each asked for its role, done, and audited: once for all faces.

acts = Acts(house, actor)
await acts.server.pause("submission")
await acts.queue.hold(ids=["7F3K2Q"])
await acts.user.add("bob@example.org", Secret("..."))

Raises everywhere: Forbidden and SignInAgain (`admin.actor`), Refused and NotRunning (`admin.link`),
AccountError (`store.account_error`).
"""

from __future__ import annotations

from gatepost.admin.actor import Actor
from gatepost.admin.acts_accounts import AliasActs, GroupActs, UserActs
from gatepost.admin.acts_admins import AdministratorActs, TokenActs
from gatepost.admin.acts_alarms import AlarmActs
from gatepost.admin.acts_certificates import CertificateActs
from gatepost.admin.acts_config import ConfigActs
from gatepost.admin.acts_devices import DeviceActs
from gatepost.admin.acts_guard import GuardActs
from gatepost.admin.acts_queue import QueueActs
from gatepost.admin.acts_secrets import SecretActs
from gatepost.admin.acts_servers import ServerActs, SessionActs
from gatepost.admin.desk import Desk
from gatepost.admin.house import House

__all__ = ["Acts"]


class Acts:
    """What `actor` may do in `house`; `may(act)` says beforehand what will not be refused."""

    def __init__(self, house: House, actor: Actor) -> None:
        desk = Desk(house, actor)
        self.house = house
        self.actor = actor
        self.server = ServerActs(desk)
        self.session = SessionActs(desk)
        self.queue = QueueActs(desk)
        self.user = UserActs(desk)
        self.group = GroupActs(desk)
        self.alias = AliasActs(desk)
        self.guard = GuardActs(desk)
        self.device = DeviceActs(desk)
        self.config = ConfigActs(desk)
        self.alarm = AlarmActs(desk)
        self.secret = SecretActs(desk)
        self.certificate = CertificateActs(desk)
        self.administrator = AdministratorActs(desk)
        self.token = TokenActs(desk)

    def may(self, act: str) -> bool:
        """Whether the actor's role reaches so far, to leave out what would be refused."""
        return self.actor.may(act)
