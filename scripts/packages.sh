# System packages of each setup, and how they are installed. Sourced, not run.

# What `npm start` needs: a compiler for the native addon, nothing else.
packages_start=(g++ make cmake)

# What builds the Windows binaries, including the CA stand-in and the native tests.
packages_windows=(make cmake g++-mingw-w64-x86-64-posix binutils-mingw-w64-x86-64 doctest-dev nlohmann-json3-dev)

# What makes a release besides: signatures, archives and the MSI.
packages_release=("${packages_windows[@]}" g++ osslsigncode zip unzip gcab msitools)

# What the tests need: sanitizers and fuzzers, the Windows toolchain, brokers and independent clients of them, a browser.
packages_test=(
  "${packages_release[@]}"
  clang-14 libclang-rt-14-dev clang-format-19 wine wine64
  openjdk-17-jre-headless maven rabbitmq-server kcat amqp-tools postgresql prometheus
  chromium fonts-dejavu-core
  openssl iproute2 docker.io debootstrap zsh cabextract softhsm2 libengine-pkcs11-openssl python3-pip python3-venv
)

# What the tests need in Debian 13, whose root directory scripts/debian-13.sh makes.
packages_debian_13=(wine wine64 openjdk-21-jre-headless rabbitmq-server kcat amqp-tools postgresql openssl)

# What the long tests against other people's software need besides: compilers of Java and Go.
packages_interop=(openjdk-17-jdk-headless golang-go)

say() { printf 'certwire: %s\n' "$*"; }

is_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# A Java, Maven, Python, pip or Go on the PATH is used, however it was installed.
is_provided() {
  case $1 in
    openjdk-17-jre-headless) command -v java >/dev/null ;;
    maven) command -v mvn >/dev/null ;;
    python3-pip) python3 -m pip --version >/dev/null 2>&1 ;;
    openjdk-17-jdk-headless) command -v javac >/dev/null ;;
    golang-go) command -v go >/dev/null ;;
    python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) return 1 ;;
  esac
}

missing_packages() {
  local name
  for name in "$@"; do is_installed "$name" || is_provided "$name" || printf '%s\n' "$name"; done
}

# Asks on a terminal; without one the answer is yes.
confirm() {
  [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ] || return 0
  local answer
  read -r -p "certwire: $1 [Y/n] " answer
  case $answer in '' | [yY]*) ;; *) return 1 ;; esac
}

# Ends the script after a tool that needs the network failed: prints its name, its log, and the command to run by hand.
fetch_failed() {
  tail -n 5 "$2" >&2
  say "$1 failed (no network?); the whole log is in $2. Run, then start again:" >&2
  printf '  %s\n' "$3" >&2
  exit 1
}

# Installs the missing system packages of a list; if it cannot, ends with the command to run.
install_packages() {
  local missing
  say "system packages: $*"
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} -eq 0 ]; then
    say "all are installed"
    return
  fi
  say "not installed yet: ${missing[*]}"
  local manual="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    say "this needs root on Debian or Ubuntu. Run, then start again:"
    printf '  sudo sh -c "%s"\n' "$manual"
    exit 1
  fi
  confirm "install them now with apt-get?" || { say "nothing installed. To install them yourself: $manual"; exit 1; }
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    > var/apt.log 2>&1; then
    fetch_failed apt-get var/apt.log "$manual"
  fi
  say "installed ${#missing[@]} packages"
}

# The mirror of Debian that apt is configured for; nothing on another system, which may have no apt-get.
debian_mirror() {
  { apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' 2> /dev/null || true; } |
    awk '/^Debian Debian http/ && !found++ { print $3 }'
}

# Installs a release of Debian with packages (comma-separated) into a directory; if it cannot, ends with the command to
# run. debootstrap mounts file systems for a while: in a namespace, so that none is left if it is killed.
install_debian() {
  local release=$1 packages=$2 root=$3 log=$4 manual=$5 mirror
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || say "apt has no mirror of Debian configured: debootstrap uses its default" >&2
  if ! unshare --mount debootstrap --variant=minbase --include="$packages" "$release" "$root" ${mirror:+"$mirror"} > "$log" 2>&1; then
    fetch_failed debootstrap "$log" "$manual"
  fi
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}
}

# npm packages of the lock file, installed again when it changes.
install_npm() {
  local stamp=node_modules/.certwire-lock
  if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    say "npm packages are up to date"
    return
  fi
  say "installing npm packages"
  mkdir -p var
  # Not `npm ci`: it refuses the lock file on a registry that does not carry every platform's optional packages.
  if ! npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error > var/npm.log 2>&1; then
    fetch_failed "npm install" var/npm.log "npm install --no-save --ignore-scripts"
  fi
  cp --remove-destination package-lock.json "$stamp"
}

# Python packages of the tests, in an environment of their own, installed again when the list changes.
install_python() {
  local list=test/interop/python/requirements.txt environment=var/python
  if cmp -s "$list" "$environment/requirements.txt"; then
    say "Python packages are up to date"
    return
  fi
  say "installing Python packages into $environment"
  local fetch=("$environment/bin/pip" install -q --disable-pip-version-check --only-binary=:all: --no-deps -r "$list")
  if ! { python3 -m venv --clear "$environment" && "${fetch[@]}"; } > var/pip.log 2>&1; then
    fetch_failed "pip install" var/pip.log "python3 -m venv --clear $environment && ${fetch[*]}"
  fi
  cp "$list" "$environment/requirements.txt"
}

check_node() {
  node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a>20||(a===20&&b>=19)?0:1)' && return
  say "Node.js 20.19 or later is needed, this is $(node --version)"
  exit 1
}

check_go() {
  go version | grep -qE ' go1\.(2[3-9]|[3-9][0-9])' && return
  say "Go 1.23 or later is needed on the PATH, this is $(go version)"
  exit 1
}
