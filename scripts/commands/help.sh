# ./carrel help [command]
# shellcheck shell=bash

help_help() {
  say "usage: ./carrel help [command]"
}

command_help() {
  local topic=${1-}
  [[ $topic != -h && $topic != --help ]] || topic=help
  if [[ -n $topic ]]; then
    [[ $topic =~ ^[a-z]+$ && -f $ROOT/scripts/commands/$topic.sh ]] || unknown_command "$topic"
    # shellcheck source=/dev/null
    source "$ROOT/scripts/commands/$topic.sh"
    "help_$topic"
    return
  fi
  cat <<TEXT
${bold}Carrel${plain}: real desktop computers for AI agents, on your own machine.

usage: ./carrel <command> [options]        ./carrel <command> --help tells more

  up        install what is missing, build, prepare the base image, start the server
  down      stop the server; computers keep running (--all stops them too)
  key       print the admin API key; make, list and end others
  user      make, list and change users
  database  move the state to PostgreSQL
  doctor    check this host and say what is missing
  image     build the base image, or print its folder or digest
  test      run the tests
  bench     run the benchmarks
  help      this text
  --version

settings, by environment
  CARREL_DATA     $DEFAULT_DATA            database, disks, keys and logs of one installation
  CARREL_LISTEN   $DEFAULT_LISTEN       where the server listens
  CARREL_IMAGES   $DEFAULT_IMAGES   base images; installations may share them

The first steps, the settings and what to do when something fails: README.md, docs/operating.md
TEXT
}
