#!/usr/bin/env bash
# Creates .venv from the lock file with uv; fetches uv itself with pip when it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Moonwire needs Python 3.11 or newer; set PYTHON to one, for example: make setup PYTHON=python3.12" >&2
    exit 1
fi
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    [ -x .tools/bin/uv ] || { "$python" -m venv .tools && .tools/bin/pip install --quiet uv; }
    uv=.tools/bin/uv
fi
# Bytecode is compiled here and not at the first start: where Python may not write it, every start would pay two seconds.
"$uv" sync --frozen --quiet --compile-bytecode --python "$(command -v "$python")"
.venv/bin/python -m compileall -q src
