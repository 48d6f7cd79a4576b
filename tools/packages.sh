# Sourced by the scripts beside it, not run.
# shellcheck shell=sh

# install_packages NAME…
# Installs Debian packages where this user may do that; otherwise says in one line what to install, and fails.
install_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "QtDigits needs these packages, under the names that your system has for them: $*" >&2
        return 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        echo "QtDigits needs system packages that it may not install itself; please run: sudo apt-get install $*" >&2
        return 1
    fi

    echo "Installing system packages: $*"
    apt_log=$(mktemp)
    # A failed update (one broken source among many) need not stop the installation: that will tell.
    $as_root apt-get update -qq >"$apt_log" 2>&1 || true
    if $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" >>"$apt_log" 2>&1; then
        rm -f "$apt_log"
    else
        cat "$apt_log" >&2
        rm -f "$apt_log"
        echo "Installing failed; please run: sudo apt-get install $*" >&2
        return 1
    fi
}
