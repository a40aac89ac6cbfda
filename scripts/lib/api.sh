# The server's own API, as this script uses it. The key never shows in a process list: curl reads it from a pipe.
# shellcheck shell=bash

# api METHOD PATH [JSON]: the answer's body in $answer, its status in $status. Fails only when there was no answer.
api() {
  local method=$1 path=$2 body=${3-} out
  local -a data=()
  [[ -z $body ]] || data=(-H 'Content-Type: application/json' --data-binary "$body")
  out=$(curl -sS --noproxy '*' --max-time "${API_SECONDS:-120}" -X "$method" "${data[@]}" -w '\n%{http_code}' \
    -H @<(printf 'Authorization: Bearer %s\n' "$(<"$KEY_FILE")") "$BASE_URL/api$path" 2>&1) || {
    answer=$out status=000
    return 1
  }
  status=${out##*$'\n'} answer=${out%$'\n'*}
}

api_file() { # PATH FILE: saves what a GET answers, whole or not at all
  local code
  code=$(curl -sS --noproxy '*' --max-time 60 -o "$2.new" -w '%{http_code}' \
    -H @<(printf 'Authorization: Bearer %s\n' "$(<"$KEY_FILE")") "$BASE_URL/api$1" 2>/dev/null) || code=000
  if [[ $code == 200 ]]; then
    mv -- "$2.new" "$2"
  else
    rm -f -- "$2.new"
    return 1
  fi
}

api_error() { # says in one line what the last answer complained about
  jq -er '.error' <<<"$answer" 2>/dev/null || head -c 300 <<<"$answer"
}

# Prints "id<TAB>status<TAB>name" of every computer.
computers() {
  api GET /workspaces && [[ $status == 200 ]] || return 1
  jq -r '.workspaces[].desktops[] | [.id, .status, .name] | @tsv' <<<"$answer"
}
