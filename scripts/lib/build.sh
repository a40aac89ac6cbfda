# Building what changed. Every build lands in a folder named by the digest of its inputs, under artifacts/builds, and is
# never written to again: a running server and the computers that have deskd mounted keep the very files they started
# with, however often the source changes meanwhile.
# shellcheck shell=bash

readonly BUILDS=$ROOT/artifacts/builds
readonly BUILD_LOG=$ROOT/artifacts/logs/build.log

# The folders of a project and of all it refers to, from its .csproj, sorted.
project_folders() { # PROJECT_FOLDER, relative to ROOT
  local -a queue=("$1")
  local -A seen=()
  local folder reference
  while ((${#queue[@]} > 0)); do
    folder=${queue[0]} queue=("${queue[@]:1}")
    [[ -z ${seen[$folder]-} ]] || continue
    seen[$folder]=1
    while IFS= read -r reference; do
      queue+=("$(realpath -m --relative-to="$ROOT" "$ROOT/$folder/$(dirname "${reference//\\//}")")")
    done < <(sed -n 's/.*<ProjectReference Include="\([^"]*\)".*/\1/p' "$ROOT/$folder"/*.csproj)
  done
  printf '%s\n' "${!seen[@]}" | sort
}

# One digest over names, modes and contents of files and folders (relative to ROOT), without what builds leave behind.
digest_of() {
  (
    cd "$ROOT" || exit
    find "$@" \( -name bin -o -name obj -o -name node_modules -o -name artifacts -o -name wwwroot \) -prune -o -type f -printf '%m %p\0' |
      sort -z | tee >(cut -z -d' ' -f2- | xargs -0 -r sha256sum | sha256sum) | sha256sum
  ) | sort | sha256sum | cut -c1-16
}

readonly SHARED_INPUTS=(Directory.Build.props Directory.Packages.props global.json BannedSymbols.txt .editorconfig)

# web/build puts its bundle into the server's wwwroot, so its sources, and not that folder, are inputs of the server.
build_digest() { # server | deskd | web
  local folders
  case $1 in
    web) digest_of web ;;
    server)
      mapfile -t folders < <(project_folders src/Carrel.Server)
      [[ ! -d $ROOT/web ]] || folders+=(web)
      digest_of "${SHARED_INPUTS[@]}" "${folders[@]}"
      ;;
    deskd)
      mapfile -t folders < <(project_folders src/Carrel.Deskd)
      digest_of "${SHARED_INPUTS[@]}" "${folders[@]}"
      ;;
  esac
}

build_web() {
  [[ -x $ROOT/web/build ]] || return 0
  local digest stamp=$BUILDS/web.stamp
  digest=$(build_digest web)
  [[ ! -d $ROOT/src/Carrel.Server/wwwroot || ! -e $stamp || $(<"$stamp") != "$digest" ]] || return 0
  run_step 'building the web bundle' "$BUILD_LOG" "$ROOT/web/build" || build_failed 'the web bundle'
  mkdir -p -- "$BUILDS"
  printf '%s\n' "$digest" >"$stamp"
}

# publish PART PROJECT: leaves the folder of the build in $built.
publish() {
  local part=$1 project=$2 target digest
  digest=$(build_digest "$part")
  target=$BUILDS/$part/$digest
  built=$target
  # Fresh means used last, for `prune_builds`.
  if [[ -d $target ]]; then touch -- "$target" && return; fi
  require_dotnet
  [[ $part != server ]] || build_web
  rm -rf -- "$target".tmp.*
  run_step "building ${part/server/the server}" "$BUILD_LOG" \
    dotnet publish "$ROOT/$project" --configuration Release --output "$target.tmp.$$" --nologo --verbosity minimal ||
    build_failed "$project"
  mv -T -- "$target.tmp.$$" "$target"
  ln -sfn -- "$digest" "$BUILDS/$part/current"
  prune_builds "$part"
}

# Builds everything the server needs and exports where it is: SERVER_BUILD, CARREL_DESKD.
build_all() {
  if [[ -n ${CARREL_SERVER_BUILD:-} ]]; then # tests bring a server of their own
    SERVER_BUILD=$CARREL_SERVER_BUILD
    export CARREL_DESKD=${CARREL_DESKD:-$CARREL_SERVER_BUILD}
    return
  fi
  lock "$ROOT/artifacts/.build.lock" 'building'
  mkdir -p -- "${BUILD_LOG%/*}"
  : >"$BUILD_LOG"
  publish server src/Carrel.Server
  SERVER_BUILD=$built
  publish deskd src/Carrel.Deskd
  export CARREL_DESKD=$built
  unlock "$ROOT/artifacts/.build.lock"
}

# Keeps the three builds used last and every one that some process still has: a server runs from it or a computer has it
# mounted. Mounts made for a computer are visible only in its own mount namespace, hence the look at every process.
prune_builds() {
  local part=$1 old
  while IFS= read -r old; do
    grep -qsF -- "/$part/${old##*/}" /proc/[0-9]*/mountinfo /proc/[0-9]*/maps || rm -rf -- "$old"
  done < <(find "$BUILDS/$part" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | cut -d' ' -f2- | tail -n +4)
}

build_failed() { # WHAT
  local errors why remedy
  errors=$(grep -E '(: error |npm (ERR!|error)|error [A-Z]+[0-9]+)' "$BUILD_LOG" | sed 's/ \[[^]]*\]$//' | sort -u | cut -c1-240 | head -n8)
  why="${errors:-$(last_lines "$BUILD_LOG" 8)}
whole log: $BUILD_LOG"
  remedy='mend what it says, then run the same command again'
  if grep -qE 'NU1301|Unable to load the service index|Resource temporarily unavailable|Name or service not known' "$BUILD_LOG"; then
    die "cannot get the NuGet packages for $1" "$why" \
      "check the network, the proxy (https_proxy) and the feeds: dotnet nuget list source; then run the same command again"
  elif grep -qE 'npm (ERR!|error).*(ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|network)' "$BUILD_LOG"; then
    die "cannot get the npm packages for $1" "$why" \
      'check the network, the proxy (https_proxy) and the registry: npm config get registry; then run the same command again'
  elif grep -q 'No space left on device' "$BUILD_LOG"; then
    die "the disk filled up while building $1" "$(mount_point_of "$ROOT") has $(human_bytes "$(free_bytes "$ROOT")") free" \
      'free some room (2 GB are plenty), then run the same command again'
  fi
  die "building $1 failed" "$why" "$remedy"
}

# Where tests and benchmarks find what they run.
export_builds() {
  export CARREL_TEST_SERVER=$SERVER_BUILD CARREL_TEST_DESKD=$CARREL_DESKD CARREL_TEST_IMAGES=$IMAGES
  export CARREL_TEST_IMAGE_DIGEST=$CARREL_DESKTOP_DIGEST
}
