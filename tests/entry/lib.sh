# Small asserts for the tests of ./carrel. A test file defines functions test_* and ends with `run_tests`; each runs in a
# subshell with a folder and a port of its own and prints one line: "ok NAME", "not ok NAME" or "skip NAME: why".
# shellcheck shell=bash disable=SC2034
set -euo pipefail

REPO=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
FAKES=$REPO/tests/entry/fakes
unset CARREL_DATA CARREL_LISTEN CARREL_IMAGES CARREL_CONFIG CARREL_DESKD CI NO_COLOR

# An installation of its own with a fake server and a fake image builder.
fresh() {
  dir=$(mktemp -d)
  export CARREL_DATA=$dir/data CARREL_IMAGES=$dir/images CARREL_RUNTIME=$dir/run
  export CARREL_LISTEN=http://127.0.0.1:$((20000 + RANDOM % 12000))
  export CARREL_SERVER_BUILD=$FAKES CARREL_IMAGE_BUILDER=$FAKES/image-build
  trap clean_up EXIT
}

clean_up() {
  local pid
  [[ -z ${background-} ]] || kill -KILL "$background" 2>/dev/null || true
  if read -r pid _ 2>/dev/null <"$CARREL_DATA/server.pid" && [[ $(ps -o args= -p "$pid") == *carrel-server* ]]; then
    kill -KILL "$pid"
  fi
  while mountpoint -q "$CARREL_DATA"; do umount -l "$CARREL_DATA"; done
  rm -rf -- "$dir"
}

# carrel ARGUMENT...: output of both kinds in $output, exit code in $code.
carrel() {
  code=0
  output=$("$REPO/carrel" "$@" 2>&1 </dev/null) || code=$?
}

# In the background with signals as a terminal would have them; its pid in $background, its output in $dir/output.
carrel_in_background() {
  env --default-signal=INT "$REPO/carrel" "$@" >"$dir/output" 2>&1 </dev/null &
  background=$!
}

# Waits until the output of the background call holds a text.
until_says() {
  local lines follower found=0
  exec {lines}< <(exec tail -n +1 -F "$dir/output" 2>/dev/null)
  follower=$!
  timeout 20 grep -qm1 -- "$1" <&"$lines" || found=$?
  kill "$follower"
  exec {lines}<&-
  ((found == 0)) ||
    fail "'$1' was not said within 20 s; it said: $(<"$dir/output")"
}

# The exit code of the background call in $code.
join() {
  code=0
  wait "$background" || code=$?
  background=''
  output=$(<"$dir/output")
}

fail() {
  printf '    %s\n' "$@" | sed '2,$s/^/    /'
  exit 1
}

exits() { [[ $code == "$1" ]] || fail "exit code $code instead of $1; it said:" "$output"; }

says() { [[ $output == *"$1"* ]] || fail "'$1' is not in what it said:" "$output"; }

does_not_say() { [[ $output != *"$1"* ]] || fail "'$1' is in what it said:" "$output"; }

is() { [[ $1 == "$2" ]] || fail "'$1' is not '$2'${3:+ ($3)}"; }

# Fails while the process, or any of the session it leads, lives; one that is only yet to be reaped is gone.
gone() { # PID WHAT
  local states
  states=$(ps -o stat= -p "$1" -s "$1" || true)
  ! grep -q '^[^Z]' <<<"$states" || fail "$2 still runs"
}

skip() {
  printf 'skip %s: %s\n' "${FUNCNAME[1]#test_}" "$1"
  exit 77
}

run_tests() {
  local name result failures=0 said began
  for name in $(declare -F | awk '$3 ~ /^test_/ { print $3 }'); do
    result=0 began=${EPOCHREALTIME/./}
    said=$( (
      fresh
      "$name"
    ) 2>&1) || result=$?
    case $result in
      0) printf 'ok %s (%d ms)\n' "${name#test_}" "$(((${EPOCHREALTIME/./} - began) / 1000))" ;;
      77) printf '%s\n' "$said" ;;
      *)
        printf 'not ok %s\n%s\n' "${name#test_}" "$said"
        failures=$((failures + 1))
        ;;
    esac
  done
  ((failures == 0))
}
