#!/usr/bin/env bash
# up and down against a fake server and a fake image builder.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

server() { cut -d' ' -f1 "$CARREL_DATA/server.pid"; }

test_first_up_makes_a_computer_and_keeps_its_picture() {
  carrel up --detach
  exits 0
  says "$CARREL_LISTEN/"
  says "$CARREL_DATA/admin.key"
  is "$(jq -r '.[0].name, .[0].desktops[0].name' "$CARREL_DATA/fake.json" | paste -sd' ')" 'default hello'
  [[ -s $CARREL_DATA/hello.png ]] || fail 'there is no hello.png'
}

test_no_first_run_makes_none() {
  carrel up --detach --no-first-run
  exits 0
  [[ ! -e $CARREL_DATA/hello.png ]] || fail 'there is a hello.png'
}

test_second_up_leaves_the_server_alone_and_is_quick() {
  carrel up --detach
  local before began
  before=$(server)
  began=${EPOCHREALTIME/./}
  carrel up --detach
  exits 0
  ((${EPOCHREALTIME/./} - began < 2000000)) || fail "it took $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
  says "The server runs already (process $before)"
  says "$CARREL_DATA/admin.key"
  is "$(server)" "$before"
  is "$(jq '[.[].desktops[]] | length' "$CARREL_DATA/fake.json")" 1 'computers'
}

test_deleted_first_computer_is_not_made_again() {
  carrel up --detach
  carrel down
  echo '[]' >"$CARREL_DATA/fake.json"
  carrel up --detach
  exits 0
  is "$(jq length "$CARREL_DATA/fake.json")" 0
}

test_the_picture_command_of_the_summary_can_be_pasted() {
  carrel up --detach
  output=$(bash -c "$(grep -m1 'curl -s -H' <<<"$output")")
  says '"hello"'
}

test_detached_server_has_nothing_of_the_terminal() {
  carrel up --detach
  local pid
  pid=$(server)
  is "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid" 'its session'
  is "$(readlink "/proc/$pid/fd/0")" /dev/null
  is "$(readlink "/proc/$pid/fd/1")" "$CARREL_DATA/logs/server.log"
  # A shell starts background jobs with SIGINT ignored; the server's computers would inherit that.
  is "$((0x$(awk '/SigIgn/ { print $2 }' "/proc/$pid/status") & 2))" 0 'SIGINT ignored'
  # Held locks or pipes would live as long as the server.
  ! find "/proc/$pid/fd" -lname '*.lock' | grep . || fail 'it holds a lock of the script'
}

test_down_stops_the_server_and_a_second_down_says_so() {
  carrel up --detach
  local pid
  pid=$(server)
  carrel down
  exits 0
  says 'computers keep running'
  gone "$pid" 'the server'
  carrel down
  exits 0
  says 'does not run'
}

test_down_without_an_installation_says_so() {
  carrel down
  exits 0
  says 'there is no installation'
  [[ ! -e $CARREL_DATA ]] || fail 'it made the folder'
}

test_down_all_stops_every_computer() {
  carrel up --detach
  carrel down --all
  exits 0
  is "$(jq -r '.[].desktops[].status' "$CARREL_DATA/fake.json")" stopped
}

test_server_that_ignores_the_polite_signal_is_ended() {
  FAKE_SERVER=stubborn carrel up --detach
  local pid
  pid=$(server)
  CARREL_STOP_SECONDS=1 carrel down
  exits 0
  says 'did not stop within 1 s'
  gone "$pid" 'the server'
}

test_server_that_dies_is_noticed_at_once_with_its_last_words() {
  local began=$SECONDS
  FAKE_SERVER=dies carrel up --detach
  exits 1
  says 'the server ended while starting (exit code 3)'
  says 'the database is of a newer version'
  ((SECONDS - began < 10)) || fail 'it took long'
  carrel up --detach
  exits 0
}

test_process_id_of_another_process_is_not_taken_for_the_server() {
  mkdir -p "$CARREL_DATA"
  sleep 60 &
  background=$!
  echo "$background 1 $(</proc/sys/kernel/random/boot_id) x" >"$CARREL_DATA/server.pid"
  carrel down
  exits 0
  says 'does not run'
  kill -0 "$background" || fail 'it ended another process'
}

test_taken_port_names_who_has_it_and_another() {
  CARREL_DATA=$dir/other carrel up --detach --no-first-run
  exits 0
  carrel up --detach
  local result=$code said=$output
  CARREL_DATA=$dir/other carrel down
  code=$result output=$said
  exits 1
  says "port ${CARREL_LISTEN##*:} on 127.0.0.1 is taken"
  says '(process '
  says '--listen http://127.0.0.1:'
}

test_two_installations_live_side_by_side() {
  carrel up --detach
  exits 0
  local first
  first=$(server)
  CARREL_DATA=$dir/other carrel up --detach --listen "http://127.0.0.1:$((${CARREL_LISTEN##*:} + 1))"
  exits 0
  CARREL_DATA=$dir/other carrel down
  says 'Stopped the server'
  kill -0 "$first" || fail 'the first server is gone'
}

test_full_disk_says_how_much_is_there_and_wanted() {
  mkdir -p "$CARREL_DATA"
  mount -t tmpfs -o size=8m tmpfs "$CARREL_DATA"
  carrel up --detach
  exits 1
  says 'not enough room on the disk'
  says "on $CARREL_DATA) has 8 MB free, wanted are 2.0 GB"
  says 'CARREL_DATA=/big/folder'
}

test_full_image_disk_stops_before_the_image_is_begun() {
  mkdir -p "$CARREL_IMAGES"
  mount -t tmpfs -o size=8m tmpfs "$CARREL_IMAGES"
  FAKE_IMAGE_RUNS=$dir/runs carrel up --detach
  umount "$CARREL_IMAGES"
  exits 1
  says 'wanted are 6.0 GB'
  says 'CARREL_IMAGES=/big/folder'
  [[ ! -e $dir/runs ]] || fail 'the builder ran'
}

test_data_folder_that_is_a_file_is_refused() {
  touch "$dir/file"
  CARREL_DATA=$dir/file carrel up --detach
  exits 1
  says 'cannot be a folder'
}

test_foreground_up_stops_the_server_at_ctrl_c() {
  carrel_in_background up
  until_says 'Following the server log'
  local pid
  pid=$(server)
  kill -INT "$background"
  join
  exits 0
  says 'Stopping the server; computers keep running.'
  gone "$pid" 'the server'
  [[ ! -e $CARREL_DATA/server.pid ]] || fail 'the pid file is left'
}

test_foreground_up_ends_with_a_down_from_elsewhere() {
  carrel_in_background up
  until_says 'Following the server log'
  carrel down
  exits 0
  join
  exits 0
  says 'The server has stopped'
}

test_foreground_up_reports_a_crash() {
  carrel_in_background up
  until_says 'Following the server log'
  kill -KILL "$(server)"
  join
  exits 1
  says 'the server ended by itself (exit code 137)'
}

test_large_log_is_put_aside_at_a_start() {
  mkdir -p "$CARREL_DATA/logs"
  truncate -s 21M "$CARREL_DATA/logs/server.log"
  carrel up --detach
  exits 0
  [[ -s $CARREL_DATA/logs/server.log.1 ]] || fail 'it was not put aside'
  (($(stat -c %s "$CARREL_DATA/logs/server.log") < 10000)) || fail 'the new log is large'
}

run_tests
