# ./carrel doctor: every requirement with its state and, where it fails, what to do.
# shellcheck shell=bash

help_doctor() {
  cat <<TEXT
usage: ./carrel doctor [--json]

Checks this host and this installation ($DATA) and changes nothing.
Exit code 1 when something required is missing; warnings do not count.

  --json   {"ok": bool, "checks": [{"name", "state": "ok"|"warning"|"missing", "detail", "remedy"}]}
TEXT
}

doctor_rows=() # state, name, detail, remedy, one after the other
doctor_missing=0

report() { # STATE NAME DETAIL [REMEDY]
  doctor_rows+=("$1" "$2" "$3" "${4-}")
  [[ $1 != missing ]] || ((doctor_missing += 1))
}

command_doctor() {
  local json=''
  while (($# > 0)); do
    case $1 in
      --json) json=yes ;;
      *) unknown_argument doctor "$1" --json ;;
    esac
    shift
  done
  check_system
  check_kernel
  check_cgroups
  check_network
  check_packages
  check_room
  check_server
  if [[ -n $json ]]; then doctor_json; else doctor_table; fi
  ((doctor_missing == 0))
}

doctor_table() {
  local i state mark detail
  for ((i = 0; i < ${#doctor_rows[@]}; i += 4)); do
    state=${doctor_rows[i]} detail=${doctor_rows[i + 2]}
    case $state in
      ok) mark="${green}ok      ${plain}" ;;
      warning) mark="${yellow}warning ${plain}" ;;
      *) mark="${red}missing ${plain}" ;;
    esac
    printf '%s %-42s %s\n' "$mark" "${doctor_rows[i + 1]}" "${detail//$'\n'/$'\n'                                                    }"
    [[ -z ${doctor_rows[i + 3]} ]] || printf '%52sdo: %s\n' '' "${doctor_rows[i + 3]//$'\n'/$'\n'                                                        }"
  done
  say ''
  if ((doctor_missing == 0)); then say 'Everything required is there.'; else say "$doctor_missing required thing(s) missing."; fi
}

# Written by hand: doctor must work where jq is what is missing.
json_string() {
  local text=$1
  text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//$'\n'/\\n} text=${text//$'\t'/\\t} text=${text//$'\r'/}
  printf '"%s"' "$text"
}

doctor_json() {
  local i
  printf '{"ok":%s,"checks":[' "$( ((doctor_missing == 0)) && printf true || printf false)"
  for ((i = 0; i < ${#doctor_rows[@]}; i += 4)); do
    ((i == 0)) || printf ','
    printf '\n  {"name":%s,"state":%s,"detail":%s,"remedy":%s}' "$(json_string "${doctor_rows[i + 1]}")" \
      "$(json_string "${doctor_rows[i]}")" "$(json_string "${doctor_rows[i + 2]}")" "$(json_string "${doctor_rows[i + 3]}")"
  done
  printf '\n]}\n'
}
