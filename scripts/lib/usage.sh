# Bad usage: says what was wrong, where, and what would have been right. Exit code 2.
# shellcheck shell=bash

command_names() {
  local file
  for file in "$ROOT"/scripts/commands/*.sh; do file=${file##*/} && printf '%s\n' "${file%.sh}"; done
}

carrel_version() {
  sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$ROOT/Directory.Build.props"
}

wants_help() {
  local argument
  for argument in "$@"; do
    case $argument in
      -h | --help) return 0 ;;
      --) return 1 ;;
    esac
  done
  return 1
}

# The candidates (from the third argument on) that differ from a word by at most so many letters; nearest first.
closest() {
  local word=$1 most=$2
  shift 2
  printf '%s\n' "$@" | LC_ALL=C awk -v a="$word" -v most="$most" '
    function min(x, y) { return x < y ? x : y }
    function distance(a, b,   i, j, d, cost) {
      for (i = 0; i <= length(a); i++) d[i, 0] = i
      for (j = 0; j <= length(b); j++) d[0, j] = j
      for (i = 1; i <= length(a); i++) for (j = 1; j <= length(b); j++) {
        cost = substr(a, i, 1) != substr(b, j, 1)
        d[i, j] = min(min(d[i-1, j] + 1, d[i, j-1] + 1), d[i-1, j-1] + cost)
        if (i > 1 && j > 1 && substr(a, i, 1) == substr(b, j-1, 1) && substr(a, i-1, 1) == substr(b, j, 1))
          d[i, j] = min(d[i, j], d[i-2, j-2] + 1)
      }
      return d[length(a), length(b)]
    }
    length(a) > 0 { d = (length(a) > 1 && index($0, a) == 1) ? 0 : distance(a, $0); if (d <= most && d < length($0)) print d, $0 }' |
    sort -sn | cut -d' ' -f2
}

did_you_mean() { [[ -z $1 ]] || printf "did you mean '%s'? " "$1"; }

unknown_command() {
  local word=$1 near names
  # People's own words for the same things.
  case $word in
    start | run | serve) near=up ;;
    stop | kill) near=down ;;
    tests | check) near="test" ;;
    status | info) near=doctor ;;
    *)
      mapfile -t names < <(command_names)
      near=$(closest "$word" 2 "${names[@]}" | head -n1)
      ;;
  esac
  usage_error "there is no command '$word'" '' "$(did_you_mean "${near:+./carrel $near}")./carrel help lists the commands"
}

# unknown_argument COMMAND ARGUMENT [OPTION...]
unknown_argument() {
  local command=$1 argument=$2 near
  shift 2
  near=$(closest "${argument%%=*}" 3 "$@" | head -n1)
  usage_error "'$command' does not know '$argument'" '' \
    "$(did_you_mean "$near")./carrel $command --help lists what it takes"
}

# want_value COMMAND OPTION VALUE [...]: bad usage when the value is missing.
want_value() {
  [[ -n ${3-} && $3 != --* ]] || usage_error "'$2' of '$1' wants a value" '' "./carrel $1 --help shows how"
}
