# ./carrel up: from whatever is there to a running server.
# shellcheck shell=bash

help_up() {
  cat <<TEXT
usage: ./carrel up [--detach] [--listen URL] [--data DIR] [--no-first-run]

Installs what is missing, builds what changed, prepares the base image, starts the server, and on the very first run
makes a workspace 'default' with a computer 'hello'. What is done already is skipped; run it again after Ctrl-C, after
an upgrade of the checkout, or to see the addresses.

  --detach         return once the server is ready; without it, its log is followed and Ctrl-C stops the server
                   (computers keep running)
  --listen URL     where the server listens          now $LISTEN   (CARREL_LISTEN)
  --data DIR       database, disks, keys and logs    now $DATA   (CARREL_DATA)
  --no-first-run   make no first workspace and computer
TEXT
}

command_up() {
  local detach='' first=yes running=''
  while (($# > 0)); do
    case $1 in
      --detach | -d) detach=yes ;;
      --no-first-run) first='' ;;
      --listen=*) use_listen "${1#*=}" --listen ;;
      --data=*) want_value up --data "${1#*=}" && use_data "${1#*=}" ;;
      --listen) want_value up "$@" && use_listen "$2" --listen && shift ;;
      --data) want_value up "$@" && use_data "$2" && shift ;;
      *) unknown_argument up "$1" --detach --listen --data --no-first-run ;;
    esac
    shift
  done
  require_root up
  require_debian
  require_kernel
  require_folder "$DATA" CARREL_DATA
  require_folder "$IMAGES" CARREL_IMAGES
  running=$(server_pid) || running=''
  [[ -n $running ]] || require_space "$DATA" "$DATA_BYTES" CARREL_DATA "this installation's data"
  lock "$DATA/up.lock" "starting this installation ($DATA)"
  install_packages run build
  running=$(server_pid) || running=''
  [[ -n $running ]] || require_free_port
  # Built before the image: a mistake in the source shows after seconds, not after minutes.
  build_all
  prepare_image
  bring_up_server "$running"
  [[ -z $first ]] || first_run
  unlock "$DATA/up.lock"
  summary
  [[ -n $detach || -n $was_running ]] || follow_server
}

require_folder() { # FOLDER SETTING
  local parent
  parent=$(existing_parent "$1")
  [[ -d $parent ]] || die "$1 cannot be a folder" "$parent is a file" "choose another: $2=/some/folder ./carrel up"
  # Keys and disks are nobody else's business; images are no secret.
  local mode=0755
  [[ $2 != CARREL_DATA ]] || mode=0700
  [[ -d $1 ]] || { mkdir -p -- "$1" && chmod "$mode" -- "$1"; } 2>/dev/null || die "cannot make the folder $1" \
    "$(mount_point_of "$parent") does not allow it$(findmnt -no OPTIONS -T "$parent" | grep -qw ro && printf ' (read-only)')" \
    "choose another: $2=/some/folder ./carrel up"
}

# Starts the server, or leaves the running one alone when it runs this very build.
bring_up_server() { # PID_OR_NOTHING
  server=$1 was_running=$1
  if [[ -n $server && $(server_build) != "$SERVER_BUILD" ]]; then
    say 'The running server is of another build; restarting it (computers keep running)…'
    stop_server "$server"
    server='' was_running=''
  fi
  if [[ -n $server ]]; then
    log_start=$(stat -c %s -- "$LOG" 2>/dev/null || printf 0)
    if healthy; then
      say "The server runs already (process $server)."
      return
    fi
  else
    step_name='starting the server'
    start_server
  fi
  wait_healthy
  step_name=''
  say "${green}✓${plain} Server runs (process $server)"
}

# What Ctrl-C leaves and how to go on.
interrupted() {
  if [[ -n ${following-} ]]; then
    say ''
    say 'Stopping the server; computers keep running.'
    local pid
    if pid=$(server_pid) && [[ $pid == "$server" ]]; then stop_server "$pid"; fi
    say "Stopped. '$(settings_prefix) up' takes the computers over again; '$(settings_prefix) down --all' stops them."
    exit 0
  fi
  say "Stopped${step_name:+ while $step_name}. Nothing is broken: '$(settings_prefix) up' goes on from here."
  if server_pid >/dev/null; then say "The server runs; '$(settings_prefix) down' stops it."; fi
}

follow_server() {
  say ''
  say 'Following the server log; Ctrl-C stops the server, computers keep running. (up --detach would return here.)'
  following=yes
  tail -n 0 -F --pid="$server" -- "$LOG" 2>/dev/null &
  local code=0
  { wait "$server" || code=$?; } 2>/dev/null
  wait || true
  # `down` from elsewhere removes the pid file; a crash leaves it.
  if [[ -e $PID_FILE ]] && ((code != 0)); then
    rm -f -- "$PID_FILE"
    die "the server ended by itself (exit code $code)" "its last lines:
$(last_lines "$LOG")" "see $LOG; '$(settings_prefix) up' starts it again, computers keep running"
  fi
  rm -f -- "$PID_FILE"
  say 'The server has stopped; computers keep running.'
}

summary() {
  local key
  key="\$(cat $(printf '%q' "$KEY_FILE"))"
  cat <<TEXT

${bold}Carrel is up.${plain}
  dashboard   $BASE_URL/
  API         $BASE_URL/api      (described at $BASE_URL/openapi.json)
  API key     $KEY_FILE
  server log  $LOG

Look at what there is:
  curl -s -H "Authorization: Bearer $key" $BASE_URL/api/workspaces | jq
Give an agent a computer of its own, and see its screen:
  export CARREL=$BASE_URL/api KEY=$key
  WS=\$(curl -s -H "Authorization: Bearer \$KEY" \$CARREL/workspaces | jq -r '.workspaces[0].id')
  ID=\$(curl -s -H "Authorization: Bearer \$KEY" \$CARREL/computers -d "{\"workspace_id\":\"\$WS\",\"name\":\"agent-1\"}" -H 'Content-Type: application/json' | jq -r .id)
  curl -s -H "Authorization: Bearer \$KEY" "\$CARREL/computers/\$ID/screenshot?response_format=binary" -o screen.png

Stop:  $(settings_prefix) down        (computers keep running; --all stops them too)
TEXT
}
