# ./carrel bench: builds and runs bench/Carrel.Bench against servers and computers of its own.
# shellcheck shell=bash

help_bench() {
  cat <<TEXT
usage: ./carrel bench [--only NAME] [--n N] [more options of the benchmark program]
       ./carrel bench soak [SEEDS]

Runs the benchmarks against a server of their own on a free port, prints tables and keeps JSON under bench/results.
Keep the machine otherwise idle. Options are handed to the program; './carrel bench -- --help' prints its own.

  --only NAME   one benchmark          --n N   samples per row
  soak          so many seeds (10000) of the simulation of the control plane, of which the tests run 200
TEXT
}

command_bench() {
  [[ ${1-} != -- ]] || shift
  require_root bench
  require_debian
  require_kernel
  if [[ ${1-} == soak ]]; then
    shift
    bench_soak "$@"
    return
  fi
  [[ -f $ROOT/bench/Carrel.Bench/Carrel.Bench.csproj ]] || die 'there are no benchmarks yet' 'bench/Carrel.Bench does not exist' 'get the whole checkout'
  require_dotnet
  install_packages run build
  build_all
  prepare_image
  run_step 'building the benchmarks' "$BUILD_LOG" \
    dotnet build "$ROOT/bench/Carrel.Bench" --configuration Release --nologo --verbosity minimal || build_failed bench/Carrel.Bench
  export_builds
  # The benchmarks measure an installation of their own; this one's address and data must not leak into it.
  unset CARREL_LISTEN CARREL_DATA
  local dll=$ROOT/artifacts/bin/Carrel.Bench/release/Carrel.Bench.dll code=0
  cd "$ROOT" || exit
  # In the foreground: the program handles Ctrl-C itself and takes its computers down. An ignored signal would stay
  # ignored in it, a trapped one does not.
  trap : INT
  dotnet exec "$dll" "$@" || code=$?
  exit "$code"
}

# Many more seeds of the simulation that the tests run 200 of. It needs no computers.
bench_soak() { # [SEEDS]
  local seeds=${1:-10000}
  [[ $seeds =~ ^[1-9][0-9]*$ ]] || die "cannot run '$seeds' seeds" 'it must be a whole number' './carrel bench soak 10000'
  require_dotnet
  run_step 'building the tests of the server' "$BUILD_LOG" \
    dotnet build "$ROOT/tests/Carrel.Server.Tests" --configuration Release --nologo --verbosity minimal || build_failed tests/Carrel.Server.Tests
  say "Running $seeds seeds; a failing one is shown with its history…"
  CARREL_TEST_SEEDS=$seeds dotnet test --project "$ROOT/tests/Carrel.Server.Tests" --configuration Release --no-build --no-progress --no-ansi \
    --filter-class '*SimulationTests'
}
