# What the host must be before anything is done. Each require_* either returns or ends the command with the reason.
# shellcheck shell=bash

readonly GB=1000000000
readonly DATA_BYTES=$((2 * GB)) # a first computer with some work in it

require_root() { # COMMAND
  ((EUID == 0)) || die "'./carrel $1' must run as root" \
    "it installs packages, mounts disks and makes namespaces; you are $(id -un 2>/dev/null || id -u)" \
    "sudo ./carrel $1"
}

distribution() {
  [[ ! -r /etc/os-release ]] || (
    # shellcheck source=/dev/null
    source /etc/os-release
    printf '%s' "${PRETTY_NAME:-${ID:-unknown}}"
  )
}

require_debian() {
  command -v apt-get >/dev/null && [[ -e /etc/debian_version ]] || die \
    "this system is not supported yet" "Carrel installs Debian packages with apt-get; this is ${1:-$(distribution)}" \
    'run it on Debian 12 or later, or Ubuntu 22.04 or later'
  local machine
  machine=$(uname -m)
  [[ $machine == x86_64 ]] || die "this processor is not supported yet" \
    "the base image and the daemon are built for x86-64; this is $machine" 'run it on an x86-64 machine'
}

kernel_at_least() { # MAJOR MINOR
  local major minor
  IFS=.- read -r major minor _ < <(uname -r)
  ((major > $1 || (major == $1 && minor >= $2)))
}

filesystem_known() { grep -qsw -- "$1" /proc/filesystems; }

require_kernel() {
  kernel_at_least 5 19 || die "the kernel is too old" \
    "ID-mapped overlay layers came with Linux 5.19; this is $(uname -r)" \
    'upgrade the kernel (on Debian 11: the backports kernel; on Ubuntu 22.04: linux-generic-hwe-22.04)'
  local namespace
  for namespace in user mnt net pid ipc uts; do
    [[ -e /proc/self/ns/$namespace ]] || die "the kernel lacks $namespace namespaces" \
      "/proc/self/ns/$namespace does not exist" 'use a stock Debian or Ubuntu kernel'
  done
  [[ ! -r /proc/sys/user/max_user_namespaces || $(</proc/sys/user/max_user_namespaces) -gt 0 ]] || die \
    'user namespaces are switched off' '/proc/sys/user/max_user_namespaces is 0' 'sysctl -w user.max_user_namespaces=10000'
  # As a module, overlay shows up only once it is loaded.
  filesystem_known overlay || modprobe overlay 2>/dev/null || die 'the kernel has no overlay file system' \
    '/proc/filesystems does not list it and the module cannot be loaded' 'use a stock Debian or Ubuntu kernel'
  [[ -e /dev/loop-control ]] || modprobe loop 2>/dev/null || die 'there are no loop devices' \
    '/dev/loop-control does not exist' 'load the module: modprobe loop; in a container: pass the loop devices in'
}

existing_parent() {
  local path=$1
  while [[ ! -e $path ]]; do path=${path%/*} && path=${path:-/}; done
  printf '%s' "$path"
}

free_bytes() { df -B1 --output=avail -- "$(existing_parent "$1")" | tail -n1 | tr -d ' '; }

mount_point_of() { df --output=target -- "$(existing_parent "$1")" | tail -n1; }

# require_space FOLDER BYTES SETTING WHAT_FOR
require_space() {
  local folder=$1 wanted=$2 setting=$3 purpose=$4 free
  free=$(free_bytes "$folder")
  ((free >= wanted)) || die "there is not enough room on the disk for $purpose" \
    "$folder (on $(mount_point_of "$folder")) has $(human_bytes "$free") free, wanted are $(human_bytes "$wanted")" \
    "free $(human_bytes $((wanted - free))), or choose another folder: $setting=/big/folder ./carrel up"
}

# Who listens on the address we want: "name (process id)", empty when nobody does.
port_holder() {
  local lines
  lines=$(ss -Hltnp "sport = :$LISTEN_PORT" 2>/dev/null | LC_ALL=C awk -v want="$LISTEN_HOST" '
    { address = $4; sub(/:[0-9]+$/, "", address); sub(/%.*/, "", address)
      any = (address == "0.0.0.0" || address == "*" || address == "[::]")
      all = (want == "0.0.0.0" || want == "*" || want == "+" || want == "[::]")
      if (want == "localhost" && (address == "127.0.0.1" || address == "[::1]")) any = 1
      if (any || all || address == want) { print; exit } }')
  [[ -n $lines ]] || return 0
  if [[ $lines =~ \(\(\"([^\"]+)\",pid=([0-9]+) ]]; then
    printf '%s (process %s)' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    printf 'another program'
  fi
}

require_free_port() {
  local holder other
  holder=$(port_holder)
  [[ -n $holder ]] || return 0
  other=$((LISTEN_PORT < 65535 ? LISTEN_PORT + 1 : LISTEN_PORT - 1))
  die "port $LISTEN_PORT on $LISTEN_HOST is taken" "$holder listens there" \
    "choose another port: ./carrel up --listen http://$LISTEN_HOST:$other" "or stop that program and run ./carrel up again"
}

find_dotnet() { # adds the usual places to PATH
  local folder
  command -v dotnet >/dev/null && return
  for folder in "${DOTNET_ROOT:-/usr/share/dotnet}" /usr/share/dotnet /usr/lib/dotnet "$HOME/.dotnet" /opt/dotnet; do
    if [[ -x $folder/dotnet ]]; then
      PATH=$PATH:$folder
      return
    fi
  done
  return 1
}

dotnet_sdk() { find_dotnet && dotnet --list-sdks 2>/dev/null | awk '$1 ~ /^10\./ { v = $1 } END { if (v == "") exit 1; print v }'; }

readonly DOTNET_REMEDY='get it from https://dot.net/download, or with its install script:
curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0 --install-dir /usr/share/dotnet
ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet'

require_dotnet() {
  dotnet_sdk >/dev/null || die 'the .NET 10 SDK is missing' \
    "$(find_dotnet && printf 'dotnet is here, but only with SDK %s' "$(dotnet --list-sdks | awk '{ print $1 }' | paste -sd, | grep . || echo none)" ||
      printf 'there is no dotnet in PATH nor in the usual folders')" "$DOTNET_REMEDY"
}
