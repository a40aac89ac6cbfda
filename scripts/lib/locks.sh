# One at a time: locks on files, held by this process only (every child gets the descriptor closed by `run_*`), so that
# whatever way this process ends, the kernel lets go.
# shellcheck shell=bash

declare -gA lock_fds=()

# lock FILE WHAT: waits for the lock on FILE and says who has it. WHAT completes "another ./carrel is ...".
lock() {
  local file=$1 what=$2 fd holder
  mkdir -p -- "${file%/*}"
  exec {fd}>>"$file"
  if ! flock --nonblock "$fd"; then
    holder=$(<"$file")
    say "Another ./carrel${holder:+ (process $holder)} is $what; waiting for it."
    # In the background, because bash runs its traps only between commands, but at once while it waits.
    setsid flock "$fd" &
    step_pid=$!
    finish_step
  fi
  # The name of the holder is for people only; the lock itself is the kernel's.
  printf '%s\n' "$$" >"$file"
  lock_fds[$file]=$fd
}

unlock() {
  local fd=${lock_fds[$1]}
  unset "lock_fds[$1]"
  : >"$1"
  exec {fd}>&-
}

# To be called in a subshell that becomes a child which may outlive this process.
close_locks() {
  local file fd
  for file in "${!lock_fds[@]}"; do
    fd=${lock_fds[$file]}
    exec {fd}>&-
  done
}
