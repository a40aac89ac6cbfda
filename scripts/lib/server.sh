# The server process of this installation: start, wait, stop. The pid file holds "pid starttime bootid build", so that
# a number that the kernel gave to another process since is never taken for the server.
# shellcheck shell=bash

readonly LOG_BYTES=$((20 * 1000 * 1000)) # a server log larger than this is put aside at a start; five are kept

process_start() { # PID -> clock ticks since boot, field 22 of stat; the name in field 2 may hold blanks
  local stat fields
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  printf '%s' "${fields[19]}"
}

boot_id() { printf '%s' "$(</proc/sys/kernel/random/boot_id)"; }

# Prints the pid of the running server; fails when there is none.
server_pid() {
  local pid start boot _
  read -r pid start boot _ 2>/dev/null <"$PID_FILE" || return 1
  [[ -n $pid && $boot == "$(boot_id)" ]] && alive "$pid" && [[ $(process_start "$pid") == "$start" ]] || return 1
  printf '%s' "$pid"
}

server_build() { local build; read -r _ _ _ build <"$PID_FILE" && printf '%s' "$build"; }

rotate_log() {
  local n size
  size=$(stat -c %s -- "$LOG" 2>/dev/null || printf 0)
  ((size > LOG_BYTES)) || return 0
  for n in 4 3 2 1; do
    [[ ! -e $LOG.$n ]] || mv -- "$LOG.$n" "$LOG.$((n + 1))"
  done
  mv -- "$LOG" "$LOG.1"
}

# Starts the server in a session of its own, with nothing of this terminal: it lives on when the terminal goes.
start_server() {
  local program=$SERVER_BUILD/carrel-server pid
  [[ -x $program ]] || die 'the server is not there to be started' "$program does not exist" 'remove artifacts/builds and run ./carrel up again'
  mkdir -p -- "${LOG%/*}"
  rotate_log
  log_start=$(stat -c %s -- "$LOG" 2>/dev/null || printf 0)
  if find_dotnet; then export DOTNET_ROOT=${DOTNET_ROOT:-$(dirname -- "$(readlink -f -- "$(command -v dotnet)")")}; fi
  (
    close_locks
    cd -- "$DATA" || exit
    # A shell starts its background jobs with SIGINT ignored, and every process of a computer would inherit that.
    exec setsid env --default-signal "$program" </dev/null >>"$LOG" 2>&1
  ) &
  pid=$!
  printf '%s %s %s %s\n' "$pid" "$(process_start "$pid" || true)" "$(boot_id)" "$SERVER_BUILD" >"$PID_FILE.new"
  mv -- "$PID_FILE.new" "$PID_FILE"
  server=$pid
}

healthy() { curl -fsS --noproxy '*' --max-time 5 -o /dev/null "$BASE_URL/healthz" 2>/dev/null; }

# Waits until the server just started answers; its death is noticed at once. SECONDS_MOST is for a server that takes
# over many computers.
wait_healthy() {
  local most=${1:-180} started told=''
  started=$(uptime_seconds)
  until healthy; do
    alive "$server" || server_died
    ((started + most > $(uptime_seconds))) || die "the server does not answer after $most s" \
      "it runs (process $server), but $BASE_URL/healthz does not. Its last lines:
$(server_said)" "see $LOG; ./carrel down stops it"
    if [[ -z $told ]] && (($(uptime_seconds) > started + 10)); then
      told=yes
      say 'The server is still starting; it takes over the computers that run.'
    fi
    sleep 0.03
  done
}

server_said() { tail -c "+$((log_start + 1))" -- "$LOG" 2>/dev/null | tail -n 15 | cut -c1-300 || true; }

server_died() {
  local code=0 holder
  wait "$server" 2>/dev/null || code=$?
  rm -f -- "$PID_FILE"
  holder=$(port_holder)
  [[ -z $holder ]] || require_free_port
  die "the server ended while starting (exit code $code)" "its last lines:
$(server_said)" "see $LOG"
}

# Stops the server politely; it leaves its computers running.
stop_server() { # PID
  local pid=$1 grace=${CARREL_STOP_SECONDS:-30}
  kill -TERM "$pid" 2>/dev/null || true
  if ! wait_gone "$pid" "${grace}000"; then
    warn "the server did not stop within $grace s; ending it with SIGKILL (nothing is lost: the next start recovers)"
    kill -KILL "$pid" 2>/dev/null || true
    wait_gone "$pid" 10000 || die "the server (process $pid) cannot be ended" 'it hangs in the kernel' "see dmesg and $LOG"
  fi
  rm -f -- "$PID_FILE"
}
