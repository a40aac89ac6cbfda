# The checks of `doctor`: each reports one line through `report STATE NAME DETAIL [REMEDY]`, where STATE is ok, warning
# or missing. None changes anything on the host; what must be tried is tried in a throw-away network namespace.
# shellcheck shell=bash

check_system() {
  if ((EUID == 0)); then report ok root 'running as root'; else report missing root "you are $(id -un)" 'run as root: sudo ./carrel doctor'; fi
  if [[ -e /etc/debian_version ]] && command -v apt-get >/dev/null; then
    report ok distribution "$(distribution)"
  else
    report missing distribution "$(distribution) is no Debian" 'use Debian 12 or later, or Ubuntu 22.04 or later'
  fi
  if [[ $(uname -m) == x86_64 ]]; then report ok processor "x86-64, $(nproc) CPUs"; else report missing processor "$(uname -m)" 'use an x86-64 machine'; fi
}

check_kernel() {
  if kernel_at_least 5 19; then
    report ok kernel "$(uname -r) (ID-mapped overlay layers need 5.19)"
  else
    report missing kernel "$(uname -r) is older than 5.19, which brought ID-mapped overlay layers" 'upgrade the kernel'
  fi
  if filesystem_known overlay || modprobe -n overlay 2>/dev/null; then
    report ok overlay 'the kernel has it'
  else
    report missing overlay 'neither built in nor a module' 'use a stock Debian or Ubuntu kernel'
  fi
  if filesystem_known xfs || modprobe -n xfs 2>/dev/null; then report ok xfs 'the kernel has it'; else
    report missing xfs 'neither built in nor a module' 'use a stock Debian or Ubuntu kernel'
  fi
  local most=0
  [[ ! -r /proc/sys/user/max_user_namespaces ]] || most=$(</proc/sys/user/max_user_namespaces)
  if ((most >= 100)); then
    report ok 'user namespaces' "up to $most"
  else
    report missing 'user namespaces' "user.max_user_namespaces is $most" 'sysctl -w user.max_user_namespaces=10000'
  fi
  if [[ -e /dev/loop-control ]] && losetup --find >/dev/null 2>&1; then
    report ok 'loop devices' "next free: $(losetup --find)"
  elif [[ ! -e /dev/loop-control ]] && modprobe -n loop 2>/dev/null; then
    report ok 'loop devices' 'a module, loaded when needed'
  else
    report missing 'loop devices' 'no free one can be had' 'modprobe loop; inside a container: pass /dev/loop-control and /dev/loop* in'
  fi
  if grep -qsw errno /proc/sys/kernel/seccomp/actions_avail; then
    report ok seccomp 'filters are available'
  else
    report missing seccomp 'the kernel has no seccomp filters' 'use a kernel with CONFIG_SECCOMP_FILTER'
  fi
}

# On v2 freezing is built in; on v1 and hybrid it is a controller.
check_cgroups() {
  local controller missing='' layout
  if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
    layout=v2
    for controller in cpu memory pids; do
      grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers || missing+=" $controller"
    done
  else
    layout=v1
    [[ ! -d /sys/fs/cgroup/unified ]] || layout='hybrid v1'
    for controller in cpu memory pids freezer devices; do
      [[ -e /sys/fs/cgroup/$controller/cgroup.procs ]] || missing+=" $controller"
    done
  fi
  if [[ -z $missing ]]; then
    report ok 'control groups' "$layout: cpu, memory, pids and freezer are there"
  else
    report missing 'control groups' "$layout, without:$missing" \
      'mount them or enable them on the kernel command line (Debian: cgroup_enable=memory; inside a container: delegate them)'
  fi
}

# The first IPv4 server that is not on loopback; behind systemd-resolved the real ones stand in the second file.
dns_server() {
  awk '!found && $1 == "nameserver" && $2 ~ /^[0-9.]+$/ && $2 !~ /^127\./ { print $2; found = 1 }' \
    /etc/resolv.conf /run/systemd/resolve/resolv.conf 2>/dev/null || true
}

check_network() {
  local said
  if ! command -v ip >/dev/null || ! command -v nft >/dev/null || ((EUID != 0)); then
    report warning network 'not tried: it needs root, ip and nft' 'install the packages below, then run ./carrel doctor again'
  # The features the server's ruleset uses, on a veth pair, out of everybody's sight.
  elif said=$(unshare --net sh -ec '
      ip link add cr0 type veth peer name cr0p && ip link set cr0 up
      nft -f -' 2>&1 <<'NFT'
add table netdev t
add chain netdev t from_guest { type filter hook ingress device "cr0" priority 0; policy drop; }
add chain netdev t to_guest { type filter hook egress device "cr0" priority 0; policy drop; }
add rule netdev t from_guest ip saddr 10.77.0.2 ip saddr set 198.18.0.1 accept
add table inet t
add chain inet t one
add rule inet t one ct count over 4096 drop
add map inet t egress { type ifname : verdict; elements = { "cr0" : goto one } }
add chain inet t forward { type filter hook forward priority -10; }
add rule inet t forward iifname vmap @egress
add chain inet t resolve { type nat hook prerouting priority dstnat; }
add rule inet t resolve ip daddr 10.77.0.1 udp dport 53 dnat ip to 192.0.2.1
add chain inet t leave { type nat hook postrouting priority srcnat; }
add rule inet t leave iifname "cr0" masquerade
NFT
  ); then
    report ok network 'namespaces, veth, nftables with translation and connection counting work'
  else
    report missing network "a trial in a throw-away namespace failed: $(head -n2 <<<"$said" | paste -sd' ')" \
      'use a stock Debian or Ubuntu kernel (modules veth, nf_tables, nft_nat, nft_masq, nft_connlimit, nf_tables netdev egress)'
  fi
  if [[ $(</proc/sys/net/ipv4/ip_forward) == 1 ]]; then
    report ok 'IP forwarding' 'on'
  elif [[ -w /proc/sys/net/ipv4/ip_forward ]]; then
    report ok 'IP forwarding' 'off; the server switches it on'
  else
    report missing 'IP forwarding' 'off and not to be changed from here' 'sysctl -w net.ipv4.ip_forward=1'
  fi
  if [[ -n ${CARREL_DNS:-} ]]; then
    report ok DNS "computers ask $CARREL_DNS (CARREL_DNS)"
  elif said=$(dns_server) && [[ -n $said ]]; then
    report ok DNS "computers ask $said"
  else
    report missing DNS 'the host names no DNS server but on loopback, which computers cannot reach' 'set CARREL_DNS to the address of a DNS server'
  fi
  # Docker sets this policy; a packet must pass every table, so ours cannot allow what that one drops.
  if nft list chain ip filter FORWARD 2>/dev/null | grep -q 'policy drop'; then
    if nft list ruleset 2>/dev/null | grep -qE '(iifname|oifname) "cr\*".* accept'; then
      report ok 'host firewall' 'drops forwarded packets but those of computers'
    else
      report warning 'host firewall' "it drops forwarded packets (Docker sets that), so computers reach no network" \
        'iptables -I FORWARD -i cr+ -j ACCEPT; iptables -I FORWARD -o cr+ -j ACCEPT'
    fi
  else
    report ok 'host firewall' 'lets forwarded packets through'
  fi
}

check_packages() {
  local package probe why section
  for section in run build test; do
    while IFS=$'\t' read -r package probe why; do
      if probe_passes "$probe"; then
        report ok "package $package" "$why"
      elif [[ $section == test ]]; then
        report warning "package $package" "only for ./carrel test: $why" "apt-get install $package (./carrel test does it)"
      else
        report missing "package $package" "$why" "apt-get install $package (./carrel up does it)"
      fi
    done < <(listed_packages "$section")
  done
  local sdk
  if sdk=$(dotnet_sdk); then report ok '.NET SDK' "$sdk"; else report missing '.NET SDK' 'no SDK of version 10' "$DOTNET_REMEDY"; fi
}

check_room() {
  local need=$DATA_BYTES free image
  free=$(free_bytes "$DATA")
  if ((free >= need)); then report ok 'disk for data' "$(human_bytes "$free") free in $DATA"; else
    report missing 'disk for data' "$(human_bytes "$free") free in $DATA, wanted are $(human_bytes "$need")" 'free some room, or choose another folder with CARREL_DATA'
  fi
  free=$(free_bytes "$IMAGES") need=$IMAGE_BYTES
  image=$(image_path 2>/dev/null) || image=''
  if [[ -n $image ]] && image_ready "$image"; then
    report ok 'base image' "$image"
    need=0
  else
    report warning 'base image' "the one of this checkout's recipe is not built yet" './carrel image build (./carrel up does it)'
  fi
  if ((free >= need)); then report ok 'disk for images' "$(human_bytes "$free") free in $IMAGES"; else
    report missing 'disk for images' "$(human_bytes "$free") free in $IMAGES, wanted are $(human_bytes "$need")" 'free some room, or choose another folder with CARREL_IMAGES'
  fi
  free=$(($(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) * 1024))
  if ((free >= 2 * GB)); then report ok memory "$(human_bytes "$free") available"; else
    report warning memory "$(human_bytes "$free") available; a desktop with a browser takes about 600 MB" 'stop something, or add memory'
  fi
}

check_server() {
  local pid holder found
  if pid=$(server_pid); then
    if healthy; then
      report ok server "runs (process $pid) at $BASE_URL"
    else
      report missing server "runs (process $pid), but $BASE_URL/healthz does not answer" "see $LOG; ./carrel down, then ./carrel up"
    fi
  else
    holder=$(port_holder)
    if [[ -n $holder ]]; then
      report warning server "does not run, and $holder has its port $LISTEN_PORT" 'choose another: ./carrel up --listen http://127.0.0.1:<port>'
    else
      report ok server 'does not run; its port is free'
    fi
  fi
  found=$(running_machines | wc -l)
  report ok computers "$found running"
  found=$(leftovers; ownerless)
  if [[ -z $found ]]; then
    report ok leftovers 'none'
  else
    report warning leftovers "$(tr '\t' ' ' <<<"$found")" 'the server sweeps them at its next start: ./carrel down, then ./carrel up'
  fi
}
