# ./carrel down: stops the server, with --all the computers as well.
# shellcheck shell=bash

help_down() {
  cat <<TEXT
usage: ./carrel down [--all] [--data DIR]

Stops the server. Computers keep running and are taken over at the next 'up'.

  --all        stop every computer first, so that nothing of this installation runs any more; disks are kept
  --data DIR   which installation          now $DATA   (CARREL_DATA)
TEXT
}

command_down() {
  local all='' pid
  while (($# > 0)); do
    case $1 in
      --all | -a) all=yes ;;
      --data=*) want_value down --data "${1#*=}" && use_data "${1#*=}" ;;
      --data) want_value down "$@" && use_data "$2" && shift ;;
      *) unknown_argument down "$1" --all --data ;;
    esac
    shift
  done
  require_root down
  if [[ ! -d $DATA ]]; then
    say "Nothing to stop: there is no installation in $DATA."
    return
  fi
  lock "$DATA/up.lock" "starting this installation ($DATA)"
  pid=$(server_pid) || pid=''
  if [[ -n $all ]]; then
    # What a killed computer or server held is cleared away by a server that starts.
    if [[ -z $pid && -n $(running_machines)$(leftovers) ]]; then
      say 'The server does not run, but computers or what is left of them are on this host; starting it to end them in order.'
      SERVER_BUILD=$(server_build 2>/dev/null || true)
      [[ -x $SERVER_BUILD/carrel-server ]] || build_all
      [[ -n ${CARREL_DESKD:-} ]] || export CARREL_DESKD=$BUILDS/deskd/current
      require_free_port
      start_server
      wait_healthy
      pid=$server
    fi
    [[ -z $pid ]] || stop_computers
  fi
  if [[ -n $pid ]]; then
    stop_server "$pid"
    if [[ -n $all ]]; then say 'Stopped the server and every computer.'; else say 'Stopped the server; computers keep running.'; fi
  else
    say "The server of $DATA does not run."
    # One that was killed left its pool mounted.
    [[ -z $all ]] || ! mountpoint -q "$RUNTIME/$(installation)/pool" 2>/dev/null || umount "$RUNTIME/$(installation)/pool"
  fi
  unlock "$DATA/up.lock"
}

interrupted() { say "Stopped. What was stopped so far stays stopped; '$(settings_prefix) down${all:+ --all}' goes on."; }

# Stops all computers side by side and looks again until none runs: one that was in the middle of something answers 409.
stop_computers() {
  local round list id state name failed
  for round in 1 2 3 4 5 6; do
    list=$(computers) || die 'cannot list the computers' "$BASE_URL answered ${status:-nothing}: $(api_error)" \
      "see $LOG; './carrel down' stops the server alone"
    list=$(awk -F'\t' '$2 != "stopped" && $2 != "error" && $2 != "deleting"' <<<"$list")
    [[ -n $list ]] || return 0
    ((round > 1)) || say "Stopping $(wc -l <<<"$list") computer(s)…"
    failed=()
    while IFS=$'\t' read -r id state name; do
      (
        api POST "/computers/$id/stop" '{}' || true
        [[ $status == 200 || $status == 409 || $status == 404 ]] || { warn "computer '$name': stop answered $status: $(api_error)" && exit 1; }
      ) &
      failed+=($!)
    done <<<"$list"
    for id in "${failed[@]}"; do wait "$id" || true; done
    # The next look follows at once unless some computer was in the middle of something.
    ((round == 1)) || sleep "$((round - 1))"
  done
  die 'some computers did not stop' "$list" "run '$(settings_prefix) down --all' again; see $LOG"
}
