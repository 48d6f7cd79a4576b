#!/bin/sh
# Finds the system libraries that Qt lacks on this Linux, and installs just those.
#
#   tools/system_libraries.sh PYTHON [--window]
#
# PYTHON is the interpreter of the virtual environment with PySide6. Without --window: what it takes to draw
# off-screen (tests, demo). With it: also what a real window on this display takes. Where nothing is missing this
# takes a fraction of a second and prints nothing.
set -eu

python=$1
window=${2:-}
# shellcheck source=tools/packages.sh
. "$(dirname "$0")/packages.sh"

[ "$(uname -s)" = Linux ] || exit 0

pyside=$("$python" -c 'import importlib.util; print(importlib.util.find_spec("PySide6").submodule_search_locations[0])')

# The libraries with which Qt would be started, one path a line.
qt_libraries() {
    for module in QtWidgets QtSvg QtOpenGLWidgets QtTest; do
        echo "$pyside/$module.abi3.so"
    done
    platforms=$pyside/Qt/plugins/platforms
    echo "$platforms/libqoffscreen.so"
    if [ "$window" = --window ]; then
        [ -z "${DISPLAY:-}" ] || echo "$platforms/libqxcb.so"
        [ -z "${WAYLAND_DISPLAY:-}" ] || ls "$platforms"/libqwayland*.so
    fi
}

# Every library that the dynamic linker looks for and does not find, one name a line.
missing_libraries() {
    qt_libraries | xargs ldd 2>/dev/null | sed -n 's/^[[:space:]]*\(lib[^ ]*\) => not found.*/\1/p' | sort -u
}

# libEGL.so.1 -> libegl1, libdbus-1.so.3 -> libdbus-1-3: Debian's rule for naming the package of a library.
package_of() {
    case $1 in
        libglib-2.0.so.0 | libgthread-2.0.so.0 | libgobject-2.0.so.0 | libgio-2.0.so.0) echo libglib2.0-0 ;;
        libz.so.1) echo zlib1g ;;
        *) echo "$1" | tr '[:upper:]_' '[:lower:]-' | sed -e 's/\([0-9]\)\.so\./\1-/' -e 's/\.so\.//' ;;
    esac
}

has_fonts() {
    for folder in /usr/share/fonts /usr/local/share/fonts "${HOME:-/root}/.fonts" "${HOME:-/root}/.local/share/fonts"; do
        [ -d "$folder" ] || continue
        [ -z "$(find -L "$folder" -name '*.[ot]t[fc]' -print -quit)" ] || return 0
    done
    return 1
}

packages=
for library in $(missing_libraries); do
    packages="$packages $(package_of "$library")"
done
# Without a font Qt draws every text as nothing at all.
has_fonts || packages="$packages fonts-dejavu-core"

if [ -n "$packages" ]; then
    # shellcheck disable=SC2046,SC2086  # they are words, to be split
    install_packages $(printf '%s\n' $packages | sort -u) || [ -z "$(missing_libraries)" ] || exit 1
fi

# The linker's word is good, Qt's own is better.
if ! answer=$("$python" -c 'import PySide6.QtWidgets, PySide6.QtSvg, PySide6.QtTest' 2>&1); then
    echo "Qt does not start here: $(echo "$answer" | tail -n 1)" >&2
    exit 1
fi
