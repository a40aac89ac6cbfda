# ./carrel database: what is done with the state of an installation as a whole.
# shellcheck shell=bash

help_database() {
  cat <<TEXT
usage: ./carrel database move postgresql://user:password@host:5432/database [--data DIR]

Moves the state of an installation from its SQLite file into an empty PostgreSQL database, all of it or nothing. The server
must be stopped ('$(settings_prefix) down'); computers go on running meanwhile. The file stays as carrel.db.moved.
From then on the server needs to be told: CARREL_DATABASE, or "database" in carrel.json.

  --data DIR   which installation          now $DATA   (CARREL_DATA)
TEXT
}

command_database() {
  local verb='' to=''
  while (($# > 0)); do
    case $1 in
      --data=*) want_value database --data "${1#*=}" && use_data "${1#*=}" ;;
      --data) want_value database "$@" && use_data "$2" && shift ;;
      -*) unknown_argument database "$1" --data ;;
      *) if [[ -z $verb ]]; then verb=$1; elif [[ -z $to ]]; then to=$1; else unknown_argument database "$1" --data; fi ;;
    esac
    shift
  done
  [[ $verb == move && -n $to ]] || die "nothing to do${verb:+: $verb}" "there is one thing: move ADDRESS" './carrel database --help'
  require_root database
  [[ -d $DATA ]] || die "there is no installation in $DATA" 'nothing was started there yet' "name another with CARREL_DATA"
  local build=$BUILDS/server/current
  [[ -x $build/carrel-server ]] || die 'the server is not built yet' "this folder has never started one" "$(settings_prefix) up --detach"
  # The server's own lock on the data folder refuses while one runs.
  "$build/carrel-server" --data="$DATA" --move-database="$to" || die 'the state was not moved' 'see above; nothing has changed' "$(settings_prefix) down, then again"
  say "Set CARREL_DATABASE (or \"database\" in carrel.json) to that address before the next '$(settings_prefix) up'."
}
