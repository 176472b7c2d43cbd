#!/bin/sh
# debian-packages.sh LIST REASON: the packages of LIST (one a line, # starts a comment) are installed
# afterwards, or REASON says in one line why they are not. Always ends well: who needs them reads REASON.
set -u
list=$1 reason=$2
: > "$reason"
packages=$(sed -e 's/#.*//' "$list" | tr -s ' \t\n' '   ')
missing=
for package in $packages; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
say() { echo "$1" > "$reason"; echo "$list: $1"; exit 0; }
[ -e /etc/debian_version ] || say "not on Debian, so nothing was installed (wanted:$missing)"
[ "$(id -u)" = 0 ] || say "not root, so nothing was installed (wanted:$missing)"
DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
echo "$list: installing$missing"
# Postfix asks for its main configuration; the tests bring their own and its service is never started.
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections 2>/dev/null
apt="apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold"
log=$(mktemp)
# No service of these packages shall start on this machine: 101 says "not allowed" (policy-rc.d's own words).
made=
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d && made=yes
fi
{ $apt update > "$log" 2>&1 || true; } # a list that is there already will do
known= unknown=
for package in $missing; do
    if apt-cache show "$package" > /dev/null 2>&1; then known="$known $package"; else unknown="$unknown $package"; fi
done
status=0
[ -z "$known" ] || $apt install --no-install-recommends $known >> "$log" 2>&1 || status=$?
[ -z "$made" ] || rm -f /usr/sbin/policy-rc.d
last=$(grep -E '^E:' "$log" | tail -n 1)
rm -f "$log"
[ $status = 0 ] || say "apt-get failed: ${last:-exit status $status}"
[ -z "$unknown" ] || say "this Debian does not have:$unknown"
