# shellcheck shell=bash disable=SC2034 # the lists are for the scripts that source this
# Shared by tools/quickstart and tools/test: the packages, and the build. To be sourced.
#
# Works on Debian 12 with nothing but apt. What is there already is left alone, so that a second run
# needs neither network nor root. FENCELINE_SKIP_PACKAGES=1 leaves packages to you altogether.

fenceline_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fenceline_build_packages=(g++ cmake ninja-build libboost-dev libboost-context-dev libfmt-dev
                          libspdlog-dev nlohmann-json3-dev libsimdjson-dev libzstd-dev libcli11-dev libpugixml-dev)
fenceline_test_packages=(libgtest-dev libgmock-dev python3-jsonschema)
# Nice to have: a second build is faster with ccache; some tests need the kernel's source, one valgrind.
fenceline_optional_packages=(ccache)
fenceline_optional_test_packages=(linux-source-6.12 xz-utils tar valgrind)

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# The packages among the arguments that are not installed.
missing_packages() {
    local package status
    for package in "$@"; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=
        [ "$status" = installed ] || printf '%s\n' "$package"
    done
}

# Runs apt-get as root, quietly; its output goes to build/packages.log.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}
apt_quietly() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" \
        </dev/null >>"$fenceline_root/build/packages.log" 2>&1
}
can_be_root() {
    [ "$(id -u)" -eq 0 ] && return 0
    command -v sudo >/dev/null || return 1
    # Without a terminal nobody can type a password.
    sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ] && sudo -v; }
}

# install_packages REQUIRED... -- OPTIONAL...
install_packages() {
    local required=() optional=() missing=() wanted=() unavailable_list package into=required
    for package in "$@"; do
        if [ "$package" = -- ]; then
            into=optional
        elif [ $into = required ]; then
            required+=("$package")
        else
            optional+=("$package")
        fi
    done
    [ -z "${FENCELINE_SKIP_PACKAGES:-}" ] || return 0
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "This is not a Debian system: what is needed is taken to be there (on Debian: ${required[*]})."
        return 0
    fi

    mapfile -t missing < <(missing_packages "${required[@]}")
    mapfile -t wanted < <(missing_packages "${optional[@]}")
    # What could not be had before is not asked for each time.
    unavailable_list=$fenceline_root/build/packages-unavailable
    if [ -f "$unavailable_list" ] && [ ${#wanted[@]} -gt 0 ]; then
        mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | grep -vxFf "$unavailable_list" || true)
    fi
    [ $((${#missing[@]} + ${#wanted[@]})) -gt 0 ] || return 0

    if ! can_be_root; then
        if [ ${#missing[@]} -gt 0 ]; then
            fail "Some packages are missing, and they cannot be installed from here: this is not root, and
sudo is not there or wants a password. As root, run

    apt-get update && apt-get install --no-install-recommends ${missing[*]}

and then this again."
        fi
        say "Not installed, and done without: ${wanted[*]}"
        return 0
    fi

    mkdir -p "$fenceline_root/build"
    : >"$fenceline_root/build/packages.log"
    local all=("${missing[@]}" "${wanted[@]}")
    say "Installing packages: ${all[*]}"
    if ! apt_quietly update; then
        say "apt-get update failed; going on with the package lists that are there."
    fi
    if [ ${#missing[@]} -gt 0 ] && ! apt_quietly install -y --no-install-recommends "${missing[@]}"; then
        tail -n 20 "$fenceline_root/build/packages.log" >&2
        fail "Installing ${missing[*]} failed (the whole log: build/packages.log)."
    fi
    for package in "${wanted[@]}"; do
        if ! apt_quietly install -y --no-install-recommends "$package"; then
            say "$package cannot be had here; going on without it (remove build/packages-unavailable to" \
                "have it tried again)."
            printf '%s\n' "$package" >>"$unavailable_list"
        fi
    done
}

# build PRESET TARGET [CMAKE OPTION...]: configures (where needed, or where options are given) and
# builds; says nothing where all is up to date.
build() {
    local preset=$1 target=$2 dir home log
    shift 2
    dir=$fenceline_root/build/$preset
    log=$fenceline_root/build/$preset-configure.log
    mkdir -p "$dir"
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$dir/CMakeCache.txt" 2>/dev/null) || home=
    local fresh=()
    if [ -n "$home" ] && [ "$home" != "$fenceline_root" ]; then
        fresh=(--fresh) # the tree was moved or copied
    fi
    if [ $# -gt 0 ] || [ ! -f "$dir/build.ninja" ] || [ ${#fresh[@]} -gt 0 ]; then
        [ -f "$dir/build.ninja" ] || say "Configuring build/$preset"
        if ! (cd "$fenceline_root" && cmake --preset "$preset" "${fresh[@]}" "$@") >"$log" 2>&1; then
            cat "$log" >&2
            fail "Configuring build/$preset failed."
        fi
    fi
    if [ ! -e "$dir/.ninja_log" ]; then
        say "Building build/$preset (the first time takes some minutes)"
        cmake --build "$dir" --target "$target" || fail "Building build/$preset failed."
        return 0
    fi
    # Later on, only what is built anew deserves a line.
    cmake --build "$dir" --target "$target" 2>&1 |
        { grep --line-buffered -v -e 'Re-checking globbed directories' -e '^ninja: no work to do' || true; } ||
        fail "Building build/$preset failed."
}
