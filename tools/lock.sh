#!/bin/sh
# lock.sh PYTHON [--upgrade]: requirements.lock and requirements-dev.lock name one release of everything that
# pyproject.toml wants, with the hashes of all its files. What is pinned already stays, unless --upgrade is
# said. Uses the package index that pip is set up with and names none.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install pip-tools
compile="$work/venv/bin/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header
    ${2:-} --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options"
# The editable install is built without isolation, so its tools are pinned here too.
printf 'hatchling\neditables\n' > "$work/build.in"
"$1" -c 'import tomllib
for line in tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"]: print(line)' > "$work/dev.in"
cp requirements.lock "$work/run.lock"
cp requirements-dev.lock "$work/dev.lock"
# Every extra but kerberos, which only builds where libkrb5-dev is: it has a lock of its own.
extras=$("$1" -c 'import tomllib
extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
print(*(f"--extra {name}" for name in extras if name != "kerberos"))')
$compile $extras -o "$work/run.lock" pyproject.toml "$work/build.in"
printf 'gssapi\n' > "$work/kerberos.in"
$compile -c "$work/run.lock" -o "$work/kerberos.lock" "$work/kerberos.in"
{ echo '# What the extra kerberos needs beside requirements.lock; built against libkrb5-dev. Made by `make lock`.'
  cat "$work/kerberos.lock"; } > requirements-kerberos.lock
$compile -c "$work/run.lock" -o "$work/dev.lock" "$work/dev.in"
{ echo '# What Gatepost runs with, every release pinned with its hashes (and what builds it). Made by `make lock`.'
  cat "$work/run.lock"; } > requirements.lock
{ echo '# What tests and lint need beside requirements.lock. Made by `make lock`.'
  cat "$work/dev.lock"; } > requirements-dev.lock
