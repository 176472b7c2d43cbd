"""Users, groups, aliases, directories, and accounts that are contained."""

from __future__ import annotations

from typing import Final

# users
USERS: Final = "Users"
ABOUT_USERS: Final = (
    "Accounts in Gatepost's own database. Those in Active Directory or LDAP are tried under Directory."
)
CONTAINING: Final = "Name contains"
NAME: Final = "Name"
FULL_NAME: Final = "Full name"
ALSO: Final = "Further addresses"
STATE: Final = "State"
ENABLED: Final = "may log in"
DISABLED: Final = "disabled"
ADMINISTRATOR: Final = "administrator"
GUESSABLE: Final = "a name attackers try"
CREATED: Final = "Made"
NO_USERS: Final = "There is no user yet."
NO_USERS_REMEDY: Final = "Press New user; who collects mail or sends it needs one."
NEW_USER: Final = "New user..."
COUNT: Final = ("user", "users")
USER: Final = "User"

# one user
NO_SUCH_USER: Final = "There is no user {name}."
SEE_USERS: Final = "All users"
GROUPS_OF: Final = "Groups"
IN_NO_GROUP: Final = "In no group."
IN_NO_GROUP_REMEDY: Final = "Press Add to group: a group gives its members what they may do, relay among it."
GROUP: Final = "Group"
THROUGH: Final = "Through"
DIRECTLY: Final = "directly"
RELAYS: Final = "Gives relay"
RIGHTS: Final = "What the account may relay"
MAILBOX: Final = "Mailbox"
MAILBOX_IS: Final = "{messages}, {size}"
QUOTA: Final = "Mailbox limit"
QUOTA_DEFAULT: Final = "as [mailboxes] says"
MEGABYTES: Final = "Mailbox limit in MB (empty: as [mailboxes] says)"
CONTAINED_NOTE: Final = "This account is contained since {at}: {why} (by {by}). It cannot relay; {held} held."
PASSWORD: Final = "Set password..."
EDIT: Final = "Edit..."
DISABLE: Final = "Disable"
ENABLE: Final = "Enable"
DELETE: Final = "Delete..."
CONTAIN: Final = "Contain..."
RELEASE: Final = "Release"
JOIN: Final = "Add to group..."
LEAVE: Final = "Leave"
LEAVE_GROUP: Final = "Leave {group}"
WHO_COULD: Final = "Relaying through {server}"
MAY_RELAY: Final = "may"
MAY_NOT_RELAY: Final = "may not: {reason}"
CHANGES: Final = "Recent changes"

# forms
ADD: Final = "Add"
SAVE: Final = "Save"
ADDRESS: Final = "Address, as in bob@example.org"
ADDRESSES: Final = "Further addresses, one a line"
NEW_PASSWORD: Final = "Password"
AGAIN: Final = "The same password again"
DIFFERENT: Final = "The two passwords differ; nothing was changed."
IS_ADMINISTRATOR: Final = "Administrator of Gatepost: then no group gives relay to it"
NO_NUMBER: Final = "{text} is no number of MB"
ADDING: Final = "Adding {name}"
CHANGING: Final = "Changing {name}"
DELETING: Final = "Deleting {name}"
ADDED: Final = "{name} is there."
CHANGED: Final = "{name} is changed."
PASSWORD_SET: Final = "{name} has a new password; the old one is dead."
DELETED: Final = "{name} is gone."
SURE_DELETE: Final = (
    "Delete {name}? It leaves all groups and can log in no more. Its mailbox stays on the disk."
)
SURE_DISABLE: Final = "Disable {name}? Nobody logs in with it any more; mail for it still comes in."
SURE_CONTAIN: Final = (
    "Contain {name}? It cannot relay, its sessions are closed, its queued mail is held. Nothing is lost."
)
WITH_MAILBOX: Final = "Delete the mailbox, too, with all mail in it"

# app passwords
APP_PASSWORDS: Final = "Device passwords"
ABOUT_APP_PASSWORDS: Final = (
    "One for each printer, scanner or program: it opens nothing else, and goes without the others."
)
NO_APP_PASSWORDS: Final = "None yet. A device that can only send a name and a password gets one of its own."
NEW_APP_PASSWORD: Final = "New device password..."
LABEL: Final = "Which device, as in Scanner on floor 2"
FROM_NETWORKS: Final = "Only from these networks, one a line (empty: from anywhere)"
DEVICE: Final = "Device"
FROM: Final = "From"
ANYWHERE: Final = "anywhere"
LAST_USED: Final = "Last used"
NEVER: Final = "never"
REVOKE: Final = "Revoke"
REVOKE_THIS: Final = "Revoke {label}"
SHOWN_ONCE: Final = "This is the password for {label}. It is shown once: type it into the device now."
I_HAVE_IT: Final = "I have it"
DEVICE_STATES: Final = {"good": "good", "expired": "expired", "revoked": "revoked"}
EXPIRES: Final = "Expires"
COLLECTS: Final = "It also fetches mail from the mailbox"
SURE_REVOKE: Final = "Revoke the password of {label}? The device can log in no more, at once."
REVOKED: Final = "{label} is revoked."

# groups
GROUPS: Final = "Groups"
ABOUT_GROUPS: Final = "Of users and of groups. A group that an access entry gives relay to is marked."
NEW_GROUP: Final = "New group..."
NO_GROUPS: Final = "There is no group yet."
NO_GROUPS_REMEDY: Final = (
    "Press New group, then give it Submit and Relay in the Access tab of a virtual server."
)
MEMBERS: Final = "Users"
GROUPS_IN_IT: Final = "Groups in it"
YES: Final = "yes"
NO_SUCH_GROUP: Final = "There is no group {name}."
NO_MEMBERS: Final = "Nobody is in it."
NO_MEMBERS_REMEDY: Final = "Press Add member; a member is a user, or another group."
ADD_MEMBER: Final = "Add member..."
MEMBER: Final = "User or group, as in bob@example.org"
REMOVE: Final = "Remove"
REMOVE_MEMBER: Final = "Remove {member}"
ALL_MEMBERS: Final = "also through groups"
ONLY_DIRECT: Final = "direct members"
GROUP_NAME: Final = "Name, as in POP3 Relay"
GROUP_GIVING: Final = "{group} (gives relay)"
NO_GROUP_TO_JOIN: Final = "There is no group yet: make one under Groups."
SURE_DELETE_GROUP: Final = "Delete the group {name}? Its members stay, but lose what it gives them."
JOINING: Final = "Adding {member} to {group}"
JOINED: Final = "{member} is in {group}."
LEAVING: Final = "Taking {member} out of {group}"
LEFT: Final = "{member} is not in {group} any more."

# aliases
ALIASES: Final = "Aliases"
ABOUT_ALIASES: Final = (
    "Addresses whose mail goes to others. @example.org takes what nobody else in the domain does."
)
NEW_ALIAS: Final = "New alias..."
NO_ALIASES: Final = "There is no alias yet."
NO_ALIASES_REMEDY: Final = "Press New alias, for info@ or sales@ and those who read it."
ALIAS: Final = "Address"
TARGETS: Final = "Goes to"
TARGETS_FIELD: Final = "Goes to, one address a line"
OUTSIDE: Final = "Targets outside the local domains are meant"
OUTSIDE_MARK: Final = "also outside"
DELETE_THIS: Final = "Delete {name}"
SURE_DELETE_ALIAS: Final = "Delete the alias {name}? Mail for it is refused then."

# directory
DIRECTORY: Final = "Directory test"
ABOUT_DIRECTORY: Final = (
    "Tries each step to each directory: name, connection, TLS, login, groups; and one person, if named."
)
PERSON: Final = "Also this person, as in bob or CORP\\bob"
TRY: Final = "Try each step"
TRYING: Final = "Trying ..."
ALL_WELL: Final = "Every step worked."
SOME_FAILED: Final = "{failed} failed; what to do stands beside it."
STEPS: Final = ("step", "steps")
NO_DIRECTORY: Final = "There is no directory but the local accounts."
NO_DIRECTORY_REMEDY: Final = 'Add [directory.NAME] with kind = "ldap" to the file, under Settings.'
GOOD: Final = {True: "worked", False: "failed", None: "told"}

# contained
CONTAINED: Final = "Contained accounts"
ABOUT_CONTAINED: Final = (
    "They cannot relay, and their mail is held: not bounced, not lost. Release gives everything back."
)
NOBODY_CONTAINED: Final = "No account is contained."
NOBODY_CONTAINED_REMEDY: Final = (
    "One that leaves its habits is contained by itself; by hand it is done on the user's page."
)
WHY: Final = "Why"
BY: Final = "By"
SINCE: Final = "Since"
HELD: Final = "Held mail"
MESSAGES: Final = ("message", "messages")
RELEASE_THIS: Final = "Release {name}"
CONTAINING_IT: Final = "Containing {name}"
RELEASING: Final = "Releasing {name}"
IS_CONTAINED: Final = "{name} is contained; {held} held. Change its password before you release it."
IS_RELEASED: Final = "{name} is released; {held} go on."
