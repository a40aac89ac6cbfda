# Running long steps: each in a session of its own, so that Ctrl-C reaches this script alone, which then ends the whole
# step, its children too, and says how to go on.
# shellcheck shell=bash

step_pid='' # the running step; also the id of its process group
step_ticker=''
step_name=''
step_output=''

alive() { # PID; a zombie counts as dead
  local stat
  # Not $(<file): with errexit bash leaves the whole script when that file is gone.
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  [[ ${stat##*) } != Z* ]]
}

# By looking, because the process need not be a child of ours, and one that its own parent has yet to reap counts as gone.
wait_gone() { # PID MILLISECONDS
  local until=$((${EPOCHREALTIME/./} + $2 * 1000))
  while alive "$1"; do
    ((${EPOCHREALTIME/./} < until)) || return 1
    sleep 0.02
  done
}

# Ends a step and its children, politely first. INT is ignored by background jobs of a shell, hence TERM.
end_step() { # PID
  # In its first moment it has no session, so no group of its own, yet. Once only, so that its cleaning up is not hit.
  until kill -TERM -- "-$1" 2>/dev/null; do
    kill -TERM "$1" 2>/dev/null || return 0
    ! wait_gone "$1" 100 || return 0
  done
  wait_gone "$1" 20000 || kill -KILL -- "-$1" 2>/dev/null || true
}

on_interrupt() {
  local signal=$1 code=$2
  trap '' INT TERM HUP
  [[ -z $step_ticker ]] || kill "$step_ticker" 2>/dev/null || true
  ! is_terminal || printf '\r\e[K'
  if [[ -n $step_pid ]]; then
    end_step "$step_pid"
  fi
  if declare -F interrupted >/dev/null; then
    interrupted "$signal"
  else
    say "Stopped${step_name:+ while $step_name}. Nothing is broken; the same command goes on from here."
  fi
  exit "$code"
}

# A trapped signal is one whose victims bash does not report in words of its own ("line 56: 17101 Aborted ...").
trap : ABRT SEGV BUS
trap 'on_interrupt INT 130' INT
trap 'on_interrupt TERM 143' TERM
trap 'on_interrupt HUP 129' HUP

# Starts CMD in its own session with stdin empty; its process id is left in step_pid. Redirect the call as needed.
start_step() {
  (
    trap - INT TERM HUP
    close_locks
    exec setsid "$@" </dev/null
  ) &
  step_pid=$!
}

# The same, with its output to be read from descriptor step_output; finish_step closes it.
start_step_reading() {
  exec {step_output}< <(
    trap - INT TERM HUP
    close_locks
    exec setsid "$@" </dev/null 2>&1
  )
  step_pid=$!
}

# Waits for the step and gives its exit code.
finish_step() {
  local code=0
  wait "$step_pid" || code=$?
  step_pid=''
  [[ -z $step_output ]] || exec {step_output}<&-
  step_output=''
  return "$code"
}

# run_step NAME LOG CMD...: NAME completes "while ..."; shows one line with the time it takes.
run_step() {
  local name=$1 log=$2 started code=0 took
  shift 2
  step_name=$name
  started=$(uptime_seconds)
  mkdir -p -- "${log%/*}"
  if is_terminal; then
    (
      trap 'exit 0' TERM
      while :; do
        printf '\r\e[K%s… %s' "${name^}" "$(human_seconds $(($(uptime_seconds) - started)))"
        sleep 1 & wait $!
      done
    ) &
    step_ticker=$!
  else
    say "${name^}…"
  fi
  start_step "$@" >>"$log" 2>&1
  finish_step || code=$?
  if [[ -n $step_ticker ]]; then
    kill "$step_ticker" 2>/dev/null || true
    wait "$step_ticker" 2>/dev/null || true
    step_ticker=''
    printf '\r\e[K'
  fi
  took=$(human_seconds $(($(uptime_seconds) - started)))
  step_name=''
  if ((code == 0)); then say "${green}✓${plain} ${name^} ($took)"; else say "${red}✗${plain} ${name^} failed after $took"; fi
  return "$code"
}

last_lines() { # FILE [COUNT]
  tail -n "${2:-15}" -- "$1" 2>/dev/null | cut -c1-300 || true
}
