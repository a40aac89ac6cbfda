# ./carrel user: the people who may use this installation. What it does, it asks of the API with the admin's key.
# shellcheck shell=bash

help_user() {
  cat <<TEXT
usage: ./carrel user create <e-mail> [--name <name>] [--plan <plan>] [--operator] [--json]
       ./carrel user list [--json]
       ./carrel user disable | enable <e-mail or id> [--json]
       ./carrel user role <e-mail or id> operator | user [--json]
       ./carrel user plan <e-mail or id> <plan> [--json]
       ./carrel user password-link <e-mail or id> [--json]

'create' and 'password-link' print a link with which the user sets a password, once, within a week. No mail is sent: pass it
on with care, because whoever holds it can use it. Who is disabled is out at once, with keys and sessions; nothing is deleted.

  --name       what the user is called
  --plan       what they may have (GET /api/plans); the setting default_plan otherwise
  --operator   they run this installation: users, plans, the whole audit log
  --json       print the API's answer
TEXT
}

command_user() {
  local -a words
  local -A option
  local action=${1-}
  [[ -n $action ]] || usage_error "'user' wants to know what to do" '' './carrel user --help lists what it takes'
  shift
  # shellcheck disable=SC2016  # the dollars are jq's
  case $action in
    create | add) create_user "$@" ;;
    list | ls) list_users "$@" ;;
    disable) change_user "$action" '' '{disabled: true}' '"\(.email) is out."' "$@" ;;
    enable) change_user "$action" '' '{disabled: false}' '"\(.email) is back."' "$@" ;;
    role) change_user "$action" 'and a role' '{role: $to}' '"\(.email) is now \(.role)."' "$@" ;;
    plan) change_user "$action" 'and a plan' '{plan: $to}' '"\(.email) now has the plan \(.plan)."' "$@" ;;
    password-link) new_link "$@" ;;
    *) unknown_argument user "$action" create list disable enable role plan password-link ;;
  esac
}

create_user() {
  take user 'name plan' operator "$@"
  want_words 'user create' 'an e-mail address' 1 1
  local body
  body=$(jq -nc --arg email "${words[0]}" --arg name "${option[name]-}" --arg plan "${option[plan]-}" --arg operator "${option[operator]-}" \
    '{email: $email, role: (if $operator == "" then "user" else "operator" end)}
     + (if $name == "" then {} else {name: $name} end) + (if $plan == "" then {} else {plan: $plan} end)')
  ask "make the user ${words[0]}" POST /users "$body"
  show .password_link
}

list_users() {
  take user '' '' "$@"
  want_words 'user list' 'nothing more' 0 0
  ask 'list the users' GET /users
  show '.users[] | [.id, .email, .name, .role, .plan, (if .disabled then "disabled" elif .has_password then "yes" else "not set" end)] | @tsv' \
    $'ID\tE-MAIL\tNAME\tROLE\tPLAN\tPASSWORD'
}

# change_user ACTION "AND WHAT" JQ SAYS ARGUMENT...: JQ makes the request's body of $to, the second word.
change_user() {
  local action=$1 more=$2 body=$3 says=$4
  shift 4
  take user '' '' "$@"
  local wanted=$((${#more} > 0 ? 2 : 1))
  want_words "user $action" "an e-mail address or an id${more:+ $more}" "$wanted" "$wanted"
  find_user "${words[0]}"
  ask "$action ${words[0]}" PATCH "/users/$user" "$(jq -nc --arg to "${words[1]-}" "$body")"
  show "$says"
}

new_link() {
  take user '' '' "$@"
  want_words 'user password-link' 'an e-mail address or an id' 1 1
  find_user "${words[0]}"
  ask "make a link for ${words[0]}" POST "/users/$user/password-link"
  show .password_link
}

# The id of a user, in $user.
find_user() {
  ask "find the user $1" GET /users
  user=$(jq -r --arg who "${1,,}" '[.users[] | select(.id == $who or .email == $who)][0].id // empty' <<<"$answer")
  [[ -n $user ]] || die "there is no user '$1'" '' "$(settings_prefix) user list shows them"
}
