# What this installation holds on the host, found by the names everything carries. Mirrors the layout of Carrel.Machines:
#   /run/carrel/<installation>/machines/<id>/{pid,machine.json,...}   mounts and state of a machine
#   /run/carrel/slots/<n>.lease -> <installation>        leased places; interface cr<n>, nftables table carrel_slot_<n>
#   /run/carrel/<installation>/pool                      mount of <data>/pool.img, if there is one; none of it when nothing runs
#   <data>/disks/<id>/disk.img, <pool>/disks/<id>/...    loop devices
#   /sys/fs/cgroup[/<controller>]/carrel/<installation>/<id>  control groups
# shellcheck shell=bash

RUNTIME=${CARREL_RUNTIME:-/run/carrel}

# The installation's name on the host: 8 hex digits of the data folder's path.
installation() { printf '%s' "$DATA" | sha256sum | cut -c1-8; }

machine_folders() { find "$RUNTIME/$(installation)/machines" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null; }

# The ids of machines whose first process lives.
running_machines() {
  local id pid
  while read -r id; do
    # runc writes it without a newline, for which read fails though it has read.
    pid=''
    { IFS= read -r pid <"$RUNTIME/$(installation)/machines/$id/pid"; } 2>/dev/null || true
    [[ ! $pid =~ ^[0-9]+$ ]] || ! alive "$pid" || printf '%s\n' "$id"
  done < <(machine_folders)
}

leases() { # the slots leased by this installation
  find "$RUNTIME/slots" -name '*.lease' -lname "$(installation)" -printf '%f\n' 2>/dev/null | sed 's/\.lease$//'
}

# Prints "what<TAB>which" for everything of this installation that no running machine needs.
leftovers() {
  local mine live used slot id path
  mine=$(installation)
  live=" $(running_machines | paste -sd' ') "
  orphan() { [[ $live != *" $1 "* ]]; }

  while read -r id; do
    ! orphan "$id" || printf 'state of a machine that is gone\t%s\n' "$RUNTIME/$mine/machines/$id"
  done < <(machine_folders)
  while read -r path; do
    id=${path#"$RUNTIME/$mine/machines/"} && id=${id%%/*}
    ! orphan "$id" || printf 'mount\t%s\n' "$path"
  done < <(awk -v under="$RUNTIME/$mine/machines/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo)
  while read -r slot path; do
    id=${path#*/disks/} && id=${id%%/*}
    ! orphan "${id%.partial}" || printf 'loop device\t%s (%s)\n' "$slot" "$path"
  done < <(losetup --list --noheadings -O NAME,BACK-FILE 2>/dev/null | awk -v a="$DATA/disks/" -v b="$RUNTIME/$mine/pool/disks/" 'index($2, a) == 1 || index($2, b) == 1')
  while read -r path; do
    ! orphan "${path##*/}" || printf 'control group\t%s\n' "$path"
  done < <(find /sys/fs/cgroup -maxdepth 4 -type d -path "*/carrel/$mine/*" 2>/dev/null)
  if [[ -z ${live// /} ]] && ! server_pid >/dev/null && mountpoint -q "$RUNTIME/$mine/pool" 2>/dev/null; then
    printf 'mount\t%s\n' "$RUNTIME/$mine/pool"
  fi
  # A running server keeps a few slots made ahead.
  if ! server_pid >/dev/null; then
    used=" $(for id in $live; do sed -n 's/.*"slot": *\([0-9]*\).*/\1/p' "$RUNTIME/$mine/machines/$id/machine.json" 2>/dev/null; done | paste -sd' ') "
    while read -r slot; do
      [[ $used == *" $slot "* ]] || printf 'slot\t%s/slots/%s\n' "$RUNTIME" "$slot"
    done < <(leases)
  fi
}

# Interfaces and firewall tables whose slot nobody leases; whose they were cannot be told any more.
ownerless() {
  local slot
  while read -r slot; do
    [[ -L $RUNTIME/slots/$slot.lease ]] || printf 'network interface\tcr%s\n' "$slot"
  done < <(find /sys/class/net -maxdepth 1 -regextype posix-extended -regex '.*/cr[0-9]+' -printf '%f\n' 2>/dev/null | sed 's/^cr//')
  while read -r slot; do
    [[ -L $RUNTIME/slots/$slot.lease ]] || printf 'firewall table\tcarrel_slot_%s\n' "$slot"
  done < <(nft list tables 2>/dev/null | sed -n 's/^table netdev carrel_slot_//p')
}
