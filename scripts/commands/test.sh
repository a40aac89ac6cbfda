# ./carrel test: everything that can be tested, on a fresh clone as well. The last line is "N passed, N failed, N skipped".
# shellcheck shell=bash

help_test() {
  cat <<TEXT
usage: ./carrel test [--fast] [--filter TEXT] [--no-entry]

Installs what is missing, builds, and runs every test. Exit code 0 only when some test ran and none failed.

  --fast          no computers: leaves out tests/Carrel.EndToEnd and every test with the trait Needs=Computers
  --filter TEXT   only tests whose full name contains TEXT; repeatable (the tests of this script: by file name)
  --no-entry      leave out the tests of this script (tests/entry)

Logs: artifacts/test-results. Time limits: CARREL_TEST_MINUTES per project (30).
TEXT
}

passed=0 failed=0 skipped=0
broken=() # what went wrong outside of tests: a project that crashed, hung or did not build

command_test() {
  local fast='' entry=yes
  filters=()
  while (($# > 0)); do
    case $1 in
      --fast) fast=yes ;;
      --no-entry) entry='' ;;
      --filter=*) filters+=("${1#*=}") ;;
      --filter) want_value test "$@" && filters+=("$2") && shift ;;
      *) unknown_argument test "$1" --fast --filter --no-entry ;;
    esac
    shift
  done
  require_root test
  require_debian
  require_dotnet
  results=$ROOT/artifacts/test-results
  rm -rf -- "$results"
  mkdir -p -- "$results"
  local began
  began=$(uptime_seconds)
  install_packages build run test
  build_tests
  if [[ -z $fast ]]; then
    require_kernel
    build_all
    prepare_image
    export_builds
  fi
  # Tests make installations of their own; this one's settings must not leak into them.
  unset CARREL_LISTEN CARREL_DATA
  [[ -z $entry ]] || entry_tests
  local project
  for project in "${test_projects[@]}"; do
    [[ -z $fast || $project != tests/Carrel.EndToEnd ]] || continue
    dotnet_tests "$project" "$fast"
    # The same tests once more on the other store.
    [[ -n $fast || $project != tests/Carrel.Server.Tests ]] || CARREL_TEST_STORE=postgres dotnet_tests "$project" "$fast" ' on PostgreSQL'
  done
  verdict "$began"
}

# The projects of the solution under tests/; those that need computers last, so that the quick news comes first.
build_tests() {
  mapfile -t test_projects < <(sed -n 's:.*<Project Path="\(tests/[^/]*\)/.*:\1:p' "$ROOT/Carrel.slnx" |
    awk '{ last = /EndToEnd/ ? 2 : /Machines/ ? 1 : 0; print last, $0 }' | sort -s -k1,1n | cut -d' ' -f2)
  mkdir -p -- "${BUILD_LOG%/*}"
  lock "$ROOT/artifacts/.build.lock" 'building'
  : >"$BUILD_LOG"
  build_web
  run_step 'building the solution' "$BUILD_LOG" dotnet build "$ROOT/Carrel.slnx" --configuration Release --nologo --verbosity minimal ||
    build_failed Carrel.slnx
  unlock "$ROOT/artifacts/.build.lock"
}

dotnet_tests() { # PROJECT FAST [WHERE]
  local project=$1 name=${1##*/}${3:-} log filter code=0 started minutes=${CARREL_TEST_MINUTES:-30}
  local -a arguments=()
  [[ -z $2 ]] || arguments+=(--filter-not-trait Needs=Computers)
  for filter in "${filters[@]}"; do arguments+=(--filter-method "*$filter*"); done
  log=$results/${name// /-}.log
  say ''
  say "${bold}$name${plain}"
  started=$(uptime_seconds)
  step_name="testing $name"
  start_step_reading timeout --kill-after=30 "${minutes}m" \
    dotnet test --project "$ROOT/$project" --configuration Release --no-build --no-progress --no-ansi \
    --results-directory "$results" "${arguments[@]}"
  tee -- "$log" <&"$step_output"
  finish_step || code=$?
  step_name=''
  count_tests "$name" "$log" "$code"
  note "$name took $(human_seconds $(($(uptime_seconds) - started)))"
}

# The runner ends with "total/failed/succeeded/skipped: N" lines; without them it broke before it could count.
count_tests() { # NAME LOG CODE
  local name=$1 log=$2 code=$3 p f s
  p=$(summed succeeded "$log") f=$(summed failed "$log") s=$(summed skipped "$log")
  if [[ -z $p ]]; then
    # 8 means "no test matched", which a filter makes true of most projects.
    ((code == 8)) || broken+=("$name: $(how_it_ended "$code")")
    return
  fi
  ((passed += p, failed += f, skipped += s, 1))
  # A failure is counted above; any other exit code is trouble outside of the tests.
  ((code == 0 || code == 8 || f > 0)) || broken+=("$name: $(how_it_ended "$code")")
}

summed() { sed -nE "s/^ *$1: *([0-9]+).*/\1/p" "$2" | tail -n1; }

how_it_ended() {
  case $1 in
    124 | 137) printf 'did not end within its time and was killed' ;;
    *) printf 'ended with exit code %s' "$1" ;;
  esac
}

# The tests of this script: each file prints "ok NAME", "not ok NAME" and "skip NAME" lines.
entry_tests() {
  local file name log code
  for file in "$ROOT"/tests/entry/*.test.sh; do
    name=${file##*/}
    [[ ${#filters[@]} -eq 0 ]] || matches_filter "$name" || continue
    say ''
    say "${bold}entry/$name${plain}"
    log=$results/$name.log code=0
    step_name="testing $name"
    start_step_reading timeout --kill-after=10 300 bash "$file"
    tee -- "$log" <&"$step_output"
    finish_step || code=$?
    step_name=''
    ((passed += $(grep -c '^ok ' "$log" || true), skipped += $(grep -c '^skip ' "$log" || true), 1))
    ((failed += $(grep -c '^not ok ' "$log" || true), 1))
    ((code == 0)) || grep -q '^not ok ' "$log" || broken+=("entry/$name: $(how_it_ended "$code")")
  done
}

matches_filter() {
  local filter
  for filter in "${filters[@]}"; do [[ $1 != *"$filter"* ]] || return 0; done
  return 1
}

verdict() { # BEGAN
  local line
  say ''
  for line in "${broken[@]}"; do printf '%scarrel: %s%s\n' "$red" "$line" "$plain" >&2; done
  what_failed
  note "all of it took $(human_seconds $(($(uptime_seconds) - $1))); logs in artifacts/test-results"
  ((passed + failed + skipped > 0)) || printf 'carrel: no test ran%s\n' "${filters[*]:+; nothing matches: ${filters[*]}}" >&2
  # A project that broke without failing a test must not look like success to whoever reads only this line.
  say "$passed passed, $((failed + ${#broken[@]})) failed, $skipped skipped"
  ((failed + ${#broken[@]} == 0 && passed > 0)) || exit 1
}

# Once more at the end, where whoever has only the last lines of a long log looks first.
what_failed() {
  local log
  for log in "$results"/*.log; do
    [[ -e $log ]] || continue
    # A failed test is its line and what is indented below, which goes on with the output of what it started.
    awk -v name="$(basename -- "$log" .log)" '
      /^(failed |not ok )/ { print name ": " $0; left = 14; next }
      /^[^ ]/ { left = 0 }
      left-- > 0 { print }' "$log"
  done
}
