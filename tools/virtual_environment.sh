#!/bin/sh
# Makes the virtual environment VENV, unless a usable one is there.
#
#   tools/virtual_environment.sh VENV
#
# PYTHON in the environment names the interpreter to prefer.
set -eu

venv=$1
# shellcheck source=tools/packages.sh
. "$(dirname "$0")/packages.sh"

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if suits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

if suits "$venv/bin/python" && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    exit 0
fi

python=$(find_python)
if [ -z "$python" ] && ! command -v python3 >/dev/null; then
    install_packages python3 python3-venv
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo "QtDigits needs Python 3.11, 3.12 or 3.13; name one like this: make setup PYTHON=/path/to/python3.12" >&2
    exit 1
fi

# Debian and Ubuntu ship Python without what makes a virtual environment.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_packages "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
fi

echo "Making the virtual environment $venv with $("$python" --version)"
"$python" -m venv --clear "$venv"
