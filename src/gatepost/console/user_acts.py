"""The buttons on a user's page, and the forms they open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from gatepost.admin.accounts import relay_groups
from gatepost.admin.acts_accounts import UserChange
from gatepost.console.acting import doing, say_refused
from gatepost.console.confirm import confirmed
from gatepost.console.context import Context
from gatepost.console.form import Form
from gatepost.console.passwords import password_of
from gatepost.console.saying import count
from gatepost.console.texts import people as words
from gatepost.store.user import User

_MEGABYTE = 1_000_000
_GROUPS = 200  # of more the name is asked for: nobody looks through such a list


class UserVerbs:
    """What the role does not reach is not shown."""

    def __init__(self, context: Context, user: User, *, contained: bool) -> None:
        self._context = context
        self._user = user
        self._name = user.name
        with ui.element("div").classes("gp-verbs"):
            self._button("user-change", words.EDIT, "o_edit", self._edit)
            self._button("user-passwd", words.PASSWORD, "o_key", self._password)
            if user.disabled:
                self._button("user-enable", words.ENABLE, "o_check_circle", self._enable)
            else:
                self._button("user-disable", words.DISABLE, "o_block", self._disable)
            if contained:
                self._button("release", words.RELEASE, "o_lock_open", self._release)
            else:
                self._button("contain", words.CONTAIN, "o_lock", self._contain)
            self._button("user-delete", words.DELETE, "o_delete", self._delete)

    def join_button(self) -> None:
        """Adds the user to a group."""
        with ui.element("div").classes("gp-verbs"):
            self._button("group-join", words.JOIN, "o_group_add", self._join)

    def leave_button(self, group: str) -> None:
        """Takes the user out of a group it is in itself."""
        if not self._context.acts.may("group-leave"):
            return
        button = ui.button(words.LEAVE, on_click=lambda: self._leave(group)).props("flat dense")
        button.props["aria-label"] = words.LEAVE_GROUP.format(group=group)

    def _button(self, act: str, label: str, icon: str, does: Callable[[], Any]) -> None:
        if self._context.acts.may(act):
            ui.button(label, icon=icon, on_click=does).props("outline dense padding='4px 10px'")

    async def _done(
        self, what: str, act: Callable[[], Awaitable[Any]], offer: Callable[[str], None] | None = None
    ) -> bool:
        """Whether it was done; then the page shows what is so now."""
        done: list[bool] = []

        async def noted() -> bool:
            await act()
            done.append(True)
            return True

        await doing(what, noted, offer=offer)
        if done:
            ui.navigate.reload()
        return bool(done)

    def _edit(self) -> None:
        user = self._user

        async def save(form: Form) -> bool:
            quota = str(form["quota"])
            if quota and not quota.isdecimal():
                say_refused(words.NO_NUMBER.format(text=quota))
                return False
            change = UserChange(
                full_name=form["full_name"],
                addresses=form.lines("addresses"),
                quota_bytes=int(quota) * _MEGABYTE if quota else None,
                quota_default=not quota,
                administrator=form["administrator"],
            )
            what = words.CHANGING.format(name=self._name)
            return await self._done(what, lambda: self._context.acts.user.change(self._name, change))

        with Form(self._name, words.SAVE, save) as form:
            form.line("full_name", words.FULL_NAME, user.full_name, first=True)
            form.text("addresses", words.ADDRESSES, "\n".join(user.addresses))
            form.line(
                "quota", words.MEGABYTES, str(user.quota_bytes // _MEGABYTE) if user.quota_bytes else ""
            )
            form.tick("administrator", words.IS_ADMINISTRATOR, value=user.administrator)

    def _password(self) -> None:
        async def save(form: Form) -> bool:
            password = password_of(form)
            if password is None:
                return False
            even_so = bool(form["even_so"])
            change = self._context.acts.user.set_password
            what = words.CHANGING.format(name=self._name)
            done = await self._done(what, lambda: change(self._name, password, even_so=even_so), form.offer)
            if done:
                ui.notify(words.PASSWORD_SET.format(name=self._name), type="positive")
            return done

        with Form(words.PASSWORD.rstrip("."), words.SAVE, save) as form:
            form.secret("password", words.NEW_PASSWORD, first=True)
            form.secret("again", words.AGAIN)
            form.even_so()

    async def _disable(self) -> None:
        if await confirmed(words.SURE_DISABLE.format(name=self._name), words.DISABLE):
            what = words.CHANGING.format(name=self._name)
            await self._done(what, lambda: self._context.acts.user.disable(self._name))

    async def _enable(self) -> None:
        what = words.CHANGING.format(name=self._name)
        await self._done(what, lambda: self._context.acts.user.enable(self._name))

    def _delete(self) -> None:
        async def delete(form: Form) -> bool:
            with_mailbox = bool(form["with_mailbox"])
            acts = self._context.acts.user

            async def act() -> bool:
                await acts.delete(self._name, with_mailbox=with_mailbox)
                return True

            if not await doing(words.DELETING.format(name=self._name), act):
                return False
            ui.navigate.to("/users")
            return True

        with Form(words.SURE_DELETE.format(name=self._name), words.DELETE.rstrip("."), delete) as form:
            form.tick("with_mailbox", words.WITH_MAILBOX)

    async def _contain(self) -> None:
        if await confirmed(words.SURE_CONTAIN.format(name=self._name), words.CONTAIN.rstrip(".")):
            row = await doing(
                words.CONTAINING_IT.format(name=self._name),
                lambda: self._context.acts.guard.contain(self._name),
            )
            if row is not None:
                held = count(len(row["held"]), *words.MESSAGES)
                ui.notify(words.IS_CONTAINED.format(name=self._name, held=held), type="positive")
                ui.timer(1.5, ui.navigate.reload, once=True)

    async def _release(self) -> None:
        what = words.RELEASING.format(name=self._name)
        await self._done(what, lambda: self._context.acts.guard.release(self._name))

    async def _join(self) -> None:
        house = self._context.house
        groups = await house.work(lambda: house.accounts.groups.page(limit=_GROUPS + 1))
        if not groups:
            ui.notify(words.NO_GROUP_TO_JOIN, type="warning")
            return
        relaying = relay_groups(house.settings())
        names = {
            one.name: words.GROUP_GIVING.format(group=one.name) if one.name.lower() in relaying else one.name
            for one in groups
        }

        async def join(form: Form) -> bool:
            group, even_so = str(form["group"]), bool(form["even_so"])
            what = words.JOINING.format(member=self._name, group=group)
            add, member = self._context.acts.group.join, f"user:{self._name}"
            return await self._done(what, lambda: add(group, member, even_so=even_so), form.offer)

        with Form(words.JOIN.rstrip("."), words.ADD, join) as form:
            if len(groups) > _GROUPS:
                form.line("group", words.GROUP_NAME, first=True)
            else:
                form.choice("group", words.GROUP, names)
            form.even_so()

    async def _leave(self, group: str) -> None:
        what = words.LEAVING.format(member=self._name, group=group)
        await self._done(what, lambda: self._context.acts.group.leave(group, f"user:{self._name}"))
