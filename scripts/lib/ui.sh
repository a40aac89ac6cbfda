# How the script speaks: plain sentences on stdout, problems on stderr as what, why and what to do.
# shellcheck shell=bash

bold='' dim='' red='' green='' yellow='' plain=''
is_terminal() { [[ -t 1 && ${TERM:-dumb} != dumb && -z ${CI:-} ]]; }
if is_terminal && [[ -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
fi

say() { printf '%s\n' "$*"; }

note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }

warn() { printf '%scarrel: warning: %s%s\n' "$yellow" "$*" "$plain" >&2; }

# problem EXIT_CODE WHAT [WHY [WHAT_TO_DO...]]; a why or a remedy may have several lines.
problem() {
  local code=$1 what=$2 why=${3-} remedy
  {
    printf '%scarrel: %s%s\n' "$red" "$what" "$plain"
    [[ -z $why ]] || printf '  why: %s\n' "${why//$'\n'/$'\n       '}"
    shift $(($# < 3 ? $# : 3))
    for remedy in "$@"; do printf '  do:  %s\n' "${remedy//$'\n'/$'\n       '}"; done
  } >&2
  exit "$code"
}

die() { problem 1 "$@"; }

usage_error() { problem 2 "$@"; }

human_bytes() {
  LC_ALL=C awk -v b="$1" 'BEGIN { split("B KB MB GB TB", u); i = 1; while (b >= 1000 && i < 5) { b /= 1000; i++ }
    printf (i < 4 || b >= 100) ? "%.0f %s" : "%.1f %s", b, u[i] }'
}

human_seconds() {
  local s=$1
  if ((s < 90)); then printf '%d s' "$s"; else printf '%d min %02d s' $((s / 60)) $((s % 60)); fi
}

# Seconds since boot, whole; unlike the clock it never jumps.
uptime_seconds() {
  local up _
  read -r up _ </proc/uptime
  printf '%s' "${up%.*}"
}
