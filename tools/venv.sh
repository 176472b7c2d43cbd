#!/bin/sh
# venv.sh PYTHON FOLDER: a virtual environment with pip stands in FOLDER afterwards.
# Debian ships ensurepip apart from Python: as root there it is installed.
set -eu
"$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "Gatepost needs Python 3.11 or later; $1 is $("$1" --version). Say: make PYTHON=python3.11 ..." >&2; exit 1; }
if ! "$1" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
        DEBIAN_FRONTEND=noninteractive
        export DEBIAN_FRONTEND
        apt-get -q -y -o DPkg::Lock::Timeout=600 update >/dev/null
        apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends python3-venv >/dev/null
    else
        echo "This Python lacks ensurepip; on Debian: apt-get install python3-venv" >&2
        exit 1
    fi
fi
"$1" -m venv "$2"
