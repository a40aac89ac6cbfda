#!/usr/bin/env bash
# Bad usage and help.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

test_help_lists_every_command() {
  carrel help
  exits 0
  local file
  for file in "$REPO"/scripts/commands/*.sh; do says "  $(basename "$file" .sh) "; done
}

test_every_command_explains_itself() {
  local file
  for file in "$REPO"/scripts/commands/*.sh; do
    carrel "$(basename "$file" .sh)" --help
    exits 0
    says 'usage: ./carrel'
  done
}

test_version_is_that_of_the_build() {
  carrel --version
  exits 0
  [[ $output =~ ^carrel\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$output"
}

test_mistyped_command_is_suggested() {
  local pair
  for pair in tset:test upp:up dowm:down bnech:bench doctr:doctor start:up stop:down; do
    carrel "${pair%:*}"
    exits 2
    says "there is no command '${pair%:*}'"
    says "did you mean './carrel ${pair#*:}'"
  done
}

test_word_like_no_command_gets_no_suggestion() {
  carrel xyzzy
  exits 2
  does_not_say 'did you mean'
  says './carrel help lists the commands'
}

test_path_is_no_command() {
  carrel ../lib/ui
  exits 2
}

test_mistyped_option_is_suggested() {
  carrel up --detatch
  exits 2
  says "did you mean '--detach'"
}

test_option_without_its_value_is_bad_usage() {
  local option
  for option in --listen --data --data= --listen=; do
    carrel up "$option"
    exits 2
  done
  carrel up --data --detach
  exits 2
  says "'--data' of 'up' wants a value"
}

test_address_that_is_none_is_bad_usage() {
  local address
  for address in foo http:// http://host:0 http://host:65536 http://a:b@host:1 https://127.0.0.1:7300 http://host:80/path; do
    carrel up --listen "$address"
    exits 2
    says "cannot listen on '$address' (--listen)"
  done
  CARREL_LISTEN=nonsense carrel key
  exits 2
  says '(CARREL_LISTEN)'
}

test_key_says_clearly_that_there_is_none_yet() {
  carrel key
  exits 1
  says 'there is no API key yet'
  says 'up --detach'
}

test_key_prints_the_key_alone() {
  mkdir -p "$CARREL_DATA"
  echo sk_live_abc >"$CARREL_DATA/admin.key"
  carrel key
  exits 0
  is "$output" sk_live_abc
}

test_needs_root_and_says_so() {
  local command
  for command in up down test bench; do
    code=0
    output=$(setpriv --reuid 65534 --clear-groups "$REPO/carrel" "$command" 2>&1 </dev/null) || code=$?
    [[ $output != *'Permission denied'* ]] || skip 'the checkout is not readable by others'
    exits 1
    says "'./carrel $command' must run as root"
    says "sudo ./carrel $command"
  done
}

test_works_with_stdin_closed() {
  code=0
  output=$("$REPO/carrel" help 2>&1 <&-) || code=$?
  exits 0
}

test_no_colours_without_a_terminal_nor_with_no_color() {
  carrel upp
  does_not_say $'\e'
  output=$(NO_COLOR=1 TERM=xterm script -qec "$REPO/carrel upp" /dev/null </dev/null) || true
  does_not_say $'\e'
  output=$(TERM=xterm script -qec "$REPO/carrel help" /dev/null </dev/null)
  says $'\e[1m'
}

test_listen_comes_from_carrel_json_unless_said_otherwise() {
  mkdir -p "$CARREL_DATA"
  printf '{ "listen": "http://127.0.0.1:7999" }\n' >"$CARREL_DATA/carrel.json"
  carrel up --help
  does_not_say 7999
  unset CARREL_LISTEN
  carrel up --help
  says http://127.0.0.1:7999
}

test_is_clean_by_shellcheck() {
  command -v shellcheck >/dev/null || skip 'shellcheck is not installed'
  cd "$REPO"
  output=$(shellcheck carrel .ci/run scripts/*/*.sh tests/entry/*.sh tests/entry/fakes/image-build 2>&1) || fail "$output"
}

run_tests
