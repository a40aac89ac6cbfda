# ./carrel key: prints the admin API key, alone on its line, so that it can be used in $(...); makes, lists and ends others.
# shellcheck shell=bash

help_key() {
  cat <<TEXT
usage: ./carrel key
       ./carrel key create <name> [--workspace <id or name>] [--expires <time>] [--json]
       ./carrel key list [--json]
       ./carrel key delete <id> [--json]

Without a word, prints the admin API key, which the server made at its first start. It is kept in CARREL_DATA/admin.key
($KEY_FILE), readable by root only.

  curl -H "Authorization: Bearer \$(./carrel key)" $BASE_URL/api/workspaces

'create' makes another key of the admin and prints it, once: only its hash is kept.

  --workspace   the one workspace the key may use; all of the admin's otherwise
  --expires     when it ends by itself, such as 2027-01-31T12:00:00Z
  --json        print the API's answer
TEXT
}

command_key() {
  local -a words
  local -A option
  case ${1-} in
    '') print_admin_key ;;
    create) shift && create_key "$@" ;;
    list | ls) shift && list_keys "$@" ;;
    delete | rm) shift && delete_key "$@" ;;
    *) unknown_argument key "$1" create list delete ;;
  esac
}

print_admin_key() {
  [[ ! -d $DATA || -x $DATA ]] || die "cannot look into $DATA" "it belongs to root" "sudo $(settings_prefix) key"
  [[ -e $KEY_FILE ]] || die "there is no API key yet" "$KEY_FILE does not exist; the server writes it at its first start" \
    "$(settings_prefix) up --detach"
  [[ -r $KEY_FILE ]] || die "cannot read $KEY_FILE" "it belongs to root" "sudo $(settings_prefix) key"
  local key
  key=$(<"$KEY_FILE")
  [[ -n $key ]] || die "$KEY_FILE is empty" 'the first start was broken off' "$(settings_prefix) up --detach"
  printf '%s\n' "$key"
}

create_key() {
  take key 'workspace expires' '' "$@"
  want_words 'key create' 'the name of the key' 1 1
  local workspace=${option[workspace]-} body
  if [[ -n $workspace ]]; then
    ask "find the workspace $workspace" GET /workspaces
    workspace=$(jq -r --arg w "$workspace" '[.workspaces[] | select(.id == $w or .name == $w)][0].id // empty' <<<"$answer")
    [[ -n $workspace ]] || die "there is no workspace '${option[workspace]}'" '' "$(settings_prefix) key create takes its id or its name"
  fi
  body=$(jq -nc --arg name "${words[0]}" --arg workspace "$workspace" --arg expires "${option[expires]-}" \
    '{name: $name} + (if $workspace == "" then {} else {workspace_id: $workspace} end) + (if $expires == "" then {} else {expires_at: $expires} end)')
  ask "make the key '${words[0]}'" POST /api-keys "$body"
  show .key
}

list_keys() {
  take key '' '' "$@"
  want_words 'key list' 'nothing more' 0 0
  ask 'list the keys' GET /api-keys
  show '.api_keys[] | [.id, .name, (if .prefix == "" then "-" else .prefix + "..." end), .workspace_id // "all", .expires_at // "never", .last_used_at // "never"] | @tsv' \
    $'ID\tNAME\tKEY\tWORKSPACE\tEXPIRES\tLAST USED'
}

delete_key() {
  take key '' '' "$@"
  want_words 'key delete' 'the id of a key' 1 1
  ask "end the key ${words[0]}" DELETE "/api-keys/$(jq -rn --arg id "${words[0]}" '$id | @uri')"
  show '"The key has ended."'
}
