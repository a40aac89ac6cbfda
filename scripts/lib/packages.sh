# Debian packages: the one list is the file host-packages; only what is missing is installed.
# shellcheck shell=bash

# Tests point this at a list of their own.
PACKAGE_LIST=${CARREL_HOST_PACKAGES:-$ROOT/host-packages}

# Prints "package<TAB>probe<TAB>why" for the sections named.
listed_packages() { # SECTION...
  local package probe section why wanted=" $* "
  while read -r package probe section why; do
    [[ -n $package && $package != '#'* && $wanted == *" $section "* ]] || continue
    printf '%s\t%s\t%s\n' "$package" "$probe" "${why#\# }"
  done <"$PACKAGE_LIST"
}

# A probe is a command, `command>=major` or an absolute path.
probe_passes() {
  local probe=$1 program version
  case $probe in
    /*) [[ -e $probe ]] ;;
    *'>='*)
      program=${probe%%>=*}
      command -v "$program" >/dev/null || return 1
      version=$("$program" --version 2>/dev/null | grep -om1 '[0-9][0-9]*' | head -n1)
      ((${version:-0} >= ${probe##*>=}))
      ;;
    *) command -v "$probe" >/dev/null ;;
  esac
}

missing_packages() { # SECTION...
  local package probe why
  while IFS=$'\t' read -r package probe why; do
    probe_passes "$probe" || printf '%s\n' "$package"
  done < <(listed_packages "$@") | sort -u
}

apt() { # LOG ARGUMENT...: one apt-get run, its output in LOG; says when it has to wait for another one
  local log=$1 code=0 line waited=''
  shift
  start_step_reading env DEBIAN_FRONTEND=noninteractive apt-get -q \
    -o DPkg::Lock::Timeout=900 -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
    -o APT::Update::Error-Mode=any -o Dpkg::Use-Pty=0 "$@"
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    # apt itself says whom it waits for.
    if [[ -z $waited && $line == *'Could not get lock'* ]]; then
      waited=yes
      say "Another package installation is at work; waiting for it. (${line#*Could not get lock })"
    fi
  done <&"$step_output"
  finish_step || code=$?
  return "$code"
}

# apt-get update has its own lock, which it does not wait for.
apt_update() { # LOG
  local log=$1 holder tries
  for tries in 1 2 3 4 5; do
    : >"$log"
    ! apt "$log" update || return 0
    holder=$(sed -n 's/.*lists\/lock.*held by process \([0-9]*\).*/\1/p' "$log" | tail -n1)
    [[ -n $holder ]] || return 1
    ((tries > 1)) || say "Another apt-get (process $holder) is reading the package lists; waiting for it."
    wait_gone "$holder" 300000 || return 1
  done
  return 1
}

registry_unreachable() { # LOG PACKAGE...
  local log=$1 said tried
  shift
  said=$(grep -E '^(Err|E:|W:|  )' "$log" | cut -c1-200 | sort -u | head -n6)
  # shellcheck disable=SC2016  # apt fills that in
  tried=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | sort -u | paste -sd' ')
  die "cannot get the Debian packages that are missing: $*" \
    "the package registry did not answer as it should. Tried (apt-get update, 3 attempts each): ${tried:-the sources in /etc/apt}
${said:-no details}
whole log: $log" \
    'check the network, the proxy (http_proxy, /etc/apt/apt.conf.d) and /etc/apt/sources.list*; then run the same command again' \
    "or install them yourself: apt-get install $*"
}

install_packages() { # SECTION...
  local missing log=$DATA/logs/packages.log
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  require_root up
  step_name='installing packages'
  mkdir -p -- "${log%/*}"
  say "Installing ${#missing[@]} Debian package$( ((${#missing[@]} == 1)) || printf s): ${missing[*]}"
  # A package installation that was broken off (power, Ctrl-C) is finished first; else apt refuses everything.
  if [[ -n $(dpkg --audit 2>/dev/null | head -n1) ]]; then
    run_step 'finishing an earlier package installation' "$log" dpkg --configure -a || true
  fi
  local updated=''
  # Lists that do not know a package are too old or not there.
  if ! apt-cache show --no-all-versions "${missing[@]}" >/dev/null 2>&1; then
    say 'Reading the package lists…'
    apt_update "$log" || registry_unreachable "$log" "${missing[@]}"
    updated=yes
    local unknown
    unknown=$(for name in "${missing[@]}"; do apt-cache show "$name" >/dev/null 2>&1 || printf '%s ' "$name"; done)
    [[ -z $unknown ]] || die "this system's package sources do not have: $unknown" \
      "they are in Debian 12 and Ubuntu 22.04 (universe); this is $(distribution)" 'enable the sources that have them, then run the same command again'
  fi
  : >"$log"
  if ! apt "$log" install -y --no-install-recommends "${missing[@]}"; then
    # A package that is gone from the registry means that the lists are older than the registry.
    if [[ -z $updated ]] && grep -qE '^(Err|E: (Failed to fetch|Unable to fetch))' "$log"; then
      apt_update "$log" || registry_unreachable "$log" "${missing[@]}"
      : >"$log"
      apt "$log" install -y --no-install-recommends "${missing[@]}" || packages_failed "$log" "${missing[@]}"
    else
      packages_failed "$log" "${missing[@]}"
    fi
  fi
  hash -r
  step_name=''
  say "${green}✓${plain} Packages installed"
}

packages_failed() { # LOG PACKAGE...
  ! grep -qE '^(Err|E: (Failed to fetch|Unable to fetch))' "$1" || registry_unreachable "$@"
  die 'apt-get could not install the missing packages' "$(last_lines "$1" 6)
whole log: $1" "mend what it says, then run the same command again; by hand: apt-get install ${*:2}"
}
