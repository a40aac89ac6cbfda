#!/usr/bin/env bash
# ./carrel key and ./carrel user against a fake server.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

started() { carrel up --detach --no-first-run && exits 0; }

test_key_is_made_listed_and_ended() {
  started
  carrel key create ci
  exits 0
  [[ $output =~ ^sk_live_[0-9a-z]+$ ]] || fail "$output"
  carrel key list
  exits 0
  says 'LAST USED'
  says ' ci '
  says sk_live_made...
  does_not_say sk_live_made0
  local id
  id=$("$REPO/carrel" key list --json | jq -r '.api_keys[0].id')
  carrel key delete "$id"
  exits 0
  carrel key delete "$id"
  exits 1
  says 'No API key'
  is "$("$REPO/carrel" key list --json | jq '.api_keys | length')" 0
}

test_key_of_a_workspace_takes_its_name() {
  carrel up --detach
  carrel key create ci --workspace default --expires 2027-01-01T00:00:00Z --json
  exits 0
  is "$(jq -r .workspace_id <<<"$output")" "$(jq -r '.[0].id' "$CARREL_DATA/fake.json")"
  is "$(jq -r .expires_at <<<"$output")" 2027-01-01T00:00:00Z
  carrel key create ci --workspace none
  exits 1
  says "there is no workspace 'none'"
}

test_user_is_made_listed_and_changed_by_e_mail_address() {
  started
  carrel user create Ann@example.org --name Ann --operator
  exits 0
  says '/#password='
  carrel user list
  exits 0
  says 'ann@example.org'
  says operator
  carrel user role ann@example.org user
  exits 0
  says 'ann@example.org is now user.'
  carrel user disable ann@example.org
  exits 0
  is "$("$REPO/carrel" user list --json | jq -c '.users[0] | [.role, .disabled]')" '["user",true]'
  carrel user password-link ann@example.org
  says '/#password='
  carrel user enable nobody@example.org
  exits 1
  says "there is no user 'nobody@example.org'"
}

test_what_the_server_refuses_is_said_in_its_words() {
  started
  carrel user create nonsense
  exits 1
  says "cannot make the user nonsense"
  says 'must look like'
}

test_bad_usage_is_named() {
  local call
  for call in 'user' 'user create' 'user list x' 'user role ann@example.org' 'key create' 'key delete' 'key create a b' 'key create x --workspace'; do
    # shellcheck disable=SC2086
    carrel $call
    exits 2
  done
  carrel user craete x
  exits 2
  says "did you mean 'create'"
  carrel key create x --expiers y
  exits 2
  says "did you mean '--expires'"
}

test_without_a_server_it_says_so() {
  mkdir -p "$CARREL_DATA"
  carrel user list
  exits 1
  says 'up --detach'
  echo sk_live_test >"$CARREL_DATA/admin.key"
  carrel user list
  exits 1
  says "no answer from $CARREL_LISTEN"
}

run_tests
