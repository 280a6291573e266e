#!/usr/bin/env bash
# Installs the system programs named as arguments (default: all) on Debian/Ubuntu when root; otherwise says what is missing.
set -uo pipefail
declare -A package=([espeak-ng]=espeak-ng [sipp]=sip-tester [chromium]=chromium [postgresql]=postgresql)
declare -A without=(
    [espeak-ng]="the sandbox speaks with tones instead of words"
    [sipp]="the tests with a foreign SIP client are skipped"
    [chromium]="the browser tests are skipped"
    [postgresql]="the tests run on SQLite alone"
)
present() {  # Debian keeps PostgreSQL's server programs out of PATH
    [ "$1" = postgresql ] && { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 && return
    command -v "$1" >/dev/null 2>&1
}
missing=()
for program in "${@:-espeak-ng sipp chromium postgresql}"; do
    for one in $program; do present "$one" || missing+=("$one"); done
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    packages=(); for one in "${missing[@]}"; do packages+=("${package[$one]}"); done
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq; apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null 2>&1
fi
for one in "${missing[@]}"; do
    present "$one" ||
        echo "note: '$one' is not installed (Debian package ${package[$one]}); without it ${without[$one]}." >&2
done
exit 0
