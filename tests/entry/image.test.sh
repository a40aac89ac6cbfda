#!/usr/bin/env bash
# Preparing the base image: progress, interruption, two at once.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

test_progress_is_told_in_few_lines_without_a_terminal() {
  carrel image build
  exits 0
  says 'Base image:   0 %  reading package lists'
  says 'Base image:  40 %, about 61 s left  unpacking packages'
  says 'Base image: 100 %'
  does_not_say 'going back'
  does_not_say 'a line for the log'
  does_not_say $'\r'
  is "$(tail -n1 <<<"$output")" "$CARREL_IMAGES/fake0digest"
  grep -qx 'a line for the log' "$CARREL_IMAGES/.logs/fake0digest.log" || fail 'the log lacks a line'
}

test_progress_is_a_bar_on_a_terminal() {
  output=$(TERM=xterm script -qec "$REPO/carrel image build" /dev/null </dev/null)
  says $'\r\e[KBase image'
  says '████'
  says '40 %, about 61 s left'
}

test_built_image_is_not_built_again() {
  export FAKE_IMAGE_RUNS=$dir/runs
  carrel image path
  exits 1
  says 'not built yet'
  carrel image build
  carrel image build
  exits 0
  is "$(wc -l <"$dir/runs")" 1 'builds'
  carrel image path
  exits 0
}

test_two_at_once_build_once() {
  export FAKE_IMAGE_RUNS=$dir/runs FAKE_IMAGE=waits FAKE_IMAGE_GATE=$dir/gate
  mkfifo "$dir/gate"
  carrel_in_background image build
  local first=$background
  until_says 'Base image'
  mv "$dir/output" "$dir/first"
  carrel_in_background image build
  until_says 'is preparing the base image; waiting for it'
  echo go >"$dir/gate"
  wait "$first" || fail 'the first one failed'
  join
  exits 0
  is "$(wc -l <"$dir/runs")" 1 'builds'
}

test_ctrl_c_ends_the_build_with_its_children_and_the_next_up_goes_on() {
  export FAKE_IMAGE_RUNS=$dir/runs FAKE_IMAGE=slow
  carrel_in_background up --detach
  until_says 'unpacking packages'
  local builder
  builder=$(<"$dir/runs")
  kill -INT "$background"
  join
  exits 130
  says 'Stopped while preparing the base image. Nothing is broken'
  gone "$builder" 'a process of the build'
  [[ ! -e $CARREL_IMAGES/fake0digest.partial ]] || fail 'half an image is left'
  unset FAKE_IMAGE
  carrel up --detach
  exits 0
}

test_ctrl_c_while_waiting_for_another_leaves_the_other_alone() {
  export FAKE_IMAGE=slow
  carrel_in_background image build
  until_says 'unpacking packages'
  local first=$background
  mv "$dir/output" "$dir/first"
  carrel_in_background image build
  until_says 'waiting for it'
  kill -INT "$background"
  join
  exits 130
  kill -0 "$first" || fail 'the first one ended'
  kill -TERM "$first"
  wait "$first" || true
}

test_builder_that_fails_is_quoted() {
  FAKE_IMAGE=fails carrel image build
  exits 1
  says 'preparing the base image failed'
  says 'mmdebstrap failed: no such package'
  says 'whole log: '
}

run_tests
