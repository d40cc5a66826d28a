# Sourced by the scripts beside it: where things are, and one step of a longer script.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# rustup's folder, for a shell that was opened before Rust was installed.
[ -d "${CARGO_HOME:-$HOME/.cargo}/bin" ] && PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
export PATH
target="${CARGO_TARGET_DIR:-target}"

steps=()

# step NAME COMMAND..: runs it, times it, and stops everything when it fails.
step() {
    local name="$1" began=$SECONDS code=0
    shift
    printf '\n== %s\n' "$name"
    "$@" || code=$?
    if [ "$code" -ne 0 ]; then
        printf '\n== FAILED: %s (exit code %d after %d s): %s\n' "$name" "$code" "$((SECONDS - began))" "$*" >&2
        exit "$code"
    fi
    steps+=("$(printf '%5d s  %s' "$((SECONDS - began))" "$name")")
}

# Builds the command, its shim and the packages named in release. The shim is linked statically where the C library can be:
# it is started for every attempt, and looking for libraries would be a third of that time.
build_release() {
    cargo build --release --locked -p footplate-cli "$@"
    if [ "$(uname -s)" = Linux ] && rustc -vV | grep -q '^host: .*-linux-gnu$'; then
        cargo rustc --release --locked -p footplate-shim --bin footplate-shim -- -C target-feature=+crt-static
    else
        cargo build --release --locked -p footplate-shim
    fi
}

# The closing lines: what was done and how long it took.
summary() {
    printf '\n== all passed\n'
    printf '%s\n' "${steps[@]}" "$(printf '%5d s  in all' "$SECONDS")"
}
