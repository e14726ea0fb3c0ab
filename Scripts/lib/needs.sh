# Shared by the scripts: what the project needs on a machine, and how a step is told.
# Source it; it is not run by itself.

# Where the project is, whatever directory the caller is in.
PROJECT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# need_packages NAME...: installs the Debian packages that are missing, and only those. A command of
# the same name counts too, so that an `age` or `python3` from elsewhere is left alone.
need_packages() {
  local name missing=() as_root=()
  for name in "$@"; do
    command -v "$name" >/dev/null 2>&1 || has_package "$name" || missing+=("$name")
  done
  if ((${#missing[@]} == 0)); then return; fi
  command -v apt-get >/dev/null 2>&1 ||
    fail "Please install these first (names as on Debian): ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null 2>&1 || fail "Please install these as root: ${missing[*]}"
    as_root=(sudo)
  fi
  step "Installing ${missing[*]}" install_packages
}

has_package() {
  [[ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" == "install ok installed" ]]
}

# Reads `as_root` and `missing` of need_packages.
install_packages() {
  "${as_root[@]}" apt-get update -q &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# need_swift: Swift is too large to install unasked, so a missing or old one is said plainly.
need_swift() {
  local version
  command -v swift >/dev/null 2>&1 ||
    fail "Cairn needs Swift 6.3 or newer, and there is no 'swift' on the PATH: see swift.org/install."
  version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')"
  [[ "$(printf '%s\n' 6.3 "${version:-0}" | sort -V | head -n 1)" == 6.3 ]] ||
    fail "Cairn needs Swift 6.3 or newer, and the 'swift' on the PATH is ${version:-of an unknown version}."
}

need_to_build() {
  need_swift
  need_packages git libsodium-dev libsqlite3-dev libzxcvbn-dev libqrencode-dev pkg-config
}

need_to_test() {
  need_to_build
  need_packages age unzip openssl python3 shellcheck strace wasi-libc zbar-tools
}

# need_python: what the independent verifier needs, in a place of its own below .build. Afterwards `$PYTHON` runs
# scripts with it.
need_python() {
  need_packages python3 python3-venv
  # shellcheck disable=SC2034  # It is for whoever sources this.
  PYTHON="$PROJECT/.build/python/bin/python"
  if ! cmp -s "$PROJECT/Protocol/verify/requirements.txt" "$PROJECT/.build/python/requirements.txt"; then
    step "Installing what the independent verifier needs below .build/python" install_python
  fi
}

# The versions are the ones that were tried, so that a run tomorrow is the run of today.
install_python() {
  python3 -m venv --clear "$PROJECT/.build/python" &&
    "$PROJECT/.build/python/bin/pip" install --quiet --disable-pip-version-check \
      --requirement "$PROJECT/Protocol/verify/requirements.txt" &&
    cp "$PROJECT/Protocol/verify/requirements.txt" "$PROJECT/.build/python/"
}

# step WHAT COMMAND...: runs the command in silence and says how long it took. If it fails, all that
# it printed is shown. With CAIRN_VERBOSE=1 its output is shown as it comes. A function given here has to
# return its own failures: bash does not stop at them (`set -e`) where a status is asked for.
step() {
  local what="$1" log status=0 start=$SECONDS
  shift
  printf '==> %s\n' "$what"
  if [[ "${CAIRN_VERBOSE:-}" == 1 ]]; then
    ("$@") || status=$?
  else
    log="$(mktemp)"
    ("$@") >"$log" 2>&1 || status=$?
    if ((status != 0)); then cat "$log"; fi
    rm -f "$log"
  fi
  if ((status != 0)); then
    printf '    FAILED after %d s: %s\n' "$((SECONDS - start))" "$what"
  else
    printf '    done in %d s\n' "$((SECONDS - start))"
  fi
  return "$status"
}

# project_files PATTERN...: the project's own files, tracked or new but not ignored, NUL-separated.
project_files() {
  local file empty git=(git -c safe.directory='*')
  if ! "${git[@]}" -C "$PROJECT" rev-parse >/dev/null 2>&1; then
    # An export without its history: beside an empty one, every file is new.
    empty="$(mktemp -d)"
    git init -q "$empty"
    git=(git --git-dir="$empty/.git" --work-tree="$PROJECT")
  fi
  "${git[@]}" -C "$PROJECT" ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' file; do
      if [[ -f "$PROJECT/$file" ]]; then printf '%s\0' "$file"; fi
    done
  if [[ -n "${empty:-}" ]]; then rm -rf "$empty"; fi
}
