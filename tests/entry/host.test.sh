#!/usr/bin/env bash
# The host: packages, registry, doctor.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# apt with lists and a cache of its own, so that the host's are never touched.
own_apt() {
  mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
  cat >"$dir/apt.conf" <<CONF
Dir::State::lists "$dir/apt/lists";
Dir::Cache "$dir/apt/cache";
CONF
  export APT_CONFIG=$dir/apt.conf
}

test_unreachable_registry_is_told_with_what_was_tried() {
  own_apt
  echo 'cowsay /no/such/file run # a test' >"$dir/list"
  code=0
  output=$(CARREL_HOST_PACKAGES=$dir/list unshare --net "$REPO/carrel" up --detach 2>&1 </dev/null) || code=$?
  exits 1
  says 'cannot get the Debian packages that are missing: cowsay'
  says 'Tried (apt-get update'
  says 'apt-get install cowsay'
  [[ ! -e $CARREL_DATA/server.pid ]] || fail 'it went on'
}

test_package_is_wanted_only_when_its_probe_fails() {
  cat >"$dir/list" <<'LIST'
# a comment
one    bash         run   # there
two    /etc/passwd  run   # there
three  bash>=2      run   # new enough
four   no-such-command-here  test  # of another section
LIST
  CARREL_HOST_PACKAGES=$dir/list carrel up --detach --no-first-run
  exits 0
  does_not_say 'Installing'
}

test_doctor_speaks_json() {
  carrel doctor --json
  jq -e '.checks | length > 20 and all(.[]; .name and .detail and (.state | IN("ok", "warning", "missing")))' <<<"$output" >/dev/null ||
    fail "$output"
  is "$(jq .ok <<<"$output")" "$( ((code == 0)) && echo true || echo false)"
}

test_doctor_names_what_is_missing_with_its_remedy() {
  echo 'cowsay /no/such/file run # says moo' >"$dir/list"
  CARREL_HOST_PACKAGES=$dir/list carrel doctor
  exits 1
  says 'package cowsay'
  says 'says moo'
  says 'do: apt-get install cowsay'
}

test_doctor_finds_leftovers_of_this_installation_only() {
  local mine
  mine=$(printf '%s' "$CARREL_DATA" | sha256sum | cut -c1-8)
  mkdir -p "$CARREL_RUNTIME/$mine/machines/0badcafe" "$CARREL_RUNTIME/feedbeef/machines/deadbeef"
  carrel doctor
  says 'state of a machine that is gone'
  says 0badcafe
  does_not_say deadbeef
  # What a machine has whose process lives is none.
  mkdir "$CARREL_RUNTIME/slots"
  ln -s "$mine" "$CARREL_RUNTIME/slots/900001.lease"
  ln -s "$mine" "$CARREL_RUNTIME/slots/900002.lease"
  printf %s $$ >"$CARREL_RUNTIME/$mine/machines/0badcafe/pid"
  echo '{"id":"0badcafe","slot":900001,"loop_device":"/dev/loop0"}' >"$CARREL_RUNTIME/$mine/machines/0badcafe/machine.json"
  carrel doctor
  does_not_say 'state of a machine that is gone'
  says '1 running'
  says 'slots/900002'
  does_not_say 'slots/900001'
}

run_tests
