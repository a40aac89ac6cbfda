# Running long steps: each in a session of its own, so that Ctrl-C reaches this script alone, which then ends the whole
# step, its children too, and says how to go on.
# shellcheck shell=bash

step_pid='' # the running step; also the id of its process group
step_ticker=''
step_name=''
step_output=''

alive() { # PID; a zombie counts as dead
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  [[ ${stat##*) } != Z* ]]
}

wait_gone() { # PID SECONDS
  timeout "$2" tail --pid="$1" -s 0.05 -f /dev/null || ! alive "$1"
}

on_interrupt() {
  local signal=$1 code=$2
  trap '' INT TERM HUP
  [[ -z $step_ticker ]] || kill "$step_ticker" 2>/dev/null || true
  ! is_terminal || printf '\r\e[K'
  if [[ -n $step_pid ]]; then
    # -INT is ignored by background jobs of a shell, so the group gets TERM.
    kill -TERM -- "-$step_pid" 2>/dev/null || true
    wait_gone "$step_pid" 20 || kill -KILL -- "-$step_pid" 2>/dev/null || true
  fi
  if declare -F interrupted >/dev/null; then
    interrupted "$signal"
  else
    say "Stopped${step_name:+ while $step_name}. Nothing is broken; the same command goes on from here."
  fi
  exit "$code"
}

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
