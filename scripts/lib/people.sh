# What the commands for users and keys share: calls of the API whose answers are shown, as tables for people or as they came for programs.
# shellcheck shell=bash

as_json=''

# ask WHAT METHOD PATH [JSON]: calls the API and dies with its own words unless it succeeded; the answer is in $answer.
ask() {
  local what=$1
  shift
  [[ -r $KEY_FILE ]] || die "cannot $what" "$KEY_FILE cannot be read: no server has been started with this data folder, or it belongs to root" \
    "$(settings_prefix) up --detach"
  api "$@" || die "cannot $what" "no answer from $BASE_URL: $(head -n1 <<<"$answer")" "$(settings_prefix) up --detach"
  [[ $status == 2* ]] || die "cannot $what" "$(api_error)"
}

# show JQ [HEADING]: the answer as it came with --json, or else the lines that jq makes of it, in columns under a heading.
show() {
  if [[ -n $as_json ]]; then
    jq . <<<"$answer"
  elif [[ -n ${2-} ]]; then
    { printf '%s\n' "$2" && jq -r "$1" <<<"$answer"; } | column -t -s $'\t'
  else
    jq -r "$1" <<<"$answer"
  fi
}

# What follows a subcommand: words into $words, --name value into $option[name], --name alone into the same as true.
# take COMMAND "OPTIONS WITH VALUE" "OPTIONS WITHOUT" ARGUMENT...
take() {
  local command=$1 valued=" $2 " plain_ones=" $3 " name
  shift 3
  words=()
  option=()
  while (($# > 0)); do
    name=${1%%=*}
    case $1 in
      --json) as_json=yes ;;
      --*)
        if [[ $valued == *" ${name#--} "* ]]; then
          if [[ $1 == *=* ]]; then
            option[${name#--}]=${1#*=}
          else
            want_value "$command" "$1" "${2-}"
            option[${name#--}]=$2
            shift
          fi
        elif [[ $plain_ones == *" ${1#--} "* ]]; then
          option[${1#--}]=true
        else
          # shellcheck disable=SC2046,SC2086  # words on purpose
          unknown_argument "$command" "$1" --json $(printf -- '--%s ' $valued $plain_ones)
        fi
        ;;
      *) words+=("$1") ;;
    esac
    shift
  done
}

# want_words COMMAND USAGE LEAST MOST: bad usage unless there are so many words.
want_words() {
  ((${#words[@]} >= $3 && ${#words[@]} <= $4)) || usage_error "'$1' wants $2" '' "./carrel ${1%% *} --help shows how"
}
