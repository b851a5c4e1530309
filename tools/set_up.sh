#!/bin/sh
# Makes .venv hold exactly what requirements.lock says, and this project. Run by `make`; safe to run again.
set -eu
cd "$(dirname "$0")/.."

usable() { # a Python of 3.11 or newer that can make an environment
    "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14 python; do
        if [ -n "$name" ] && usable "$name"; then
            echo "$name"
            return
        fi
    done
    echo "No Python of version 3.11 or newer, with its venv module, is on the PATH; on Debian or Ubuntu:" \
        "apt-get install python3 python3-venv; elsewhere name one: make PYTHON=/path/to/python3." >&2
    exit 1
}

python=.venv/bin/python
if ! [ -x "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    found=$(find_python)
    rm -rf .venv
    if command -v uv >/dev/null 2>&1; then
        # pip stays in it: images get their wheels by `pip install --target`.
        uv venv --quiet --seed --python "$("$found" -c 'import sys; print(sys.executable)')" .venv
    else
        "$found" -m venv .venv
    fi
fi

echo "Setting up .venv from requirements.lock (about a minute) ..."
if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python "$python" --require-hashes -r requirements.lock
    uv pip install --quiet --python "$python" --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
else
    "$python" -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
    "$python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation \
        --config-settings editable_mode=compat -e .
fi
touch .venv/.ready
