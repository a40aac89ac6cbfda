# The base image: a folder named by the digest of its recipe, made once by images/desktop/build and shared from then on.
# shellcheck shell=bash

# Tests bring a builder of their own.
IMAGE_BUILDER=${CARREL_IMAGE_BUILDER:-$ROOT/images/desktop/build}

readonly IMAGE_BYTES=$((6 * GB)) # what building and keeping it wants on the disk

image_digest() { "$IMAGE_BUILDER" --digest; }

image_path() { printf '%s/%s' "$IMAGES" "$(image_digest)"; }

# The builder moves the folder into place whole, so what is there is complete.
image_ready() { [[ -f $1/image.json ]]; }

# Leaves the folder in $image and tells the server the digest.
prepare_image() {
  image=$(image_path)
  export CARREL_DESKTOP_DIGEST=${image##*/}
  if image_ready "$image"; then return; fi
  local log=$IMAGES/.logs/${image##*/}.log file=$IMAGES/.${image##*/}.lock started code=0
  lock "$file" 'preparing the base image'
  # Whoever had the lock may have done it.
  if ! image_ready "$image"; then
    require_space "$IMAGES" "$IMAGE_BYTES" CARREL_IMAGES 'the base image'
    mkdir -p -- "${log%/*}" "$IMAGES/.cache"
    : >"$log"
    step_name='preparing the base image'
    started=$(uptime_seconds)
    is_terminal || say 'Preparing the base image (once; it takes some minutes)…'
    start_step_reading "$IMAGE_BUILDER" --out "$image" --log "$log" --cache "$IMAGES/.cache" --mirror-from-host
    show_progress 'Base image' "$log"
    finish_step || code=$?
    step_name=''
    ((code == 0)) || image_failed "$log" "$code"
    image_ready "$image" || die 'the base image is not there although its builder said it was done' "$image/image.json does not exist; log: $log" \
      'run the same command again'
    say "${green}✓${plain} Base image ($(human_seconds $(($(uptime_seconds) - started))))"
  fi
  unlock "$file"
}

image_failed() { # LOG CODE
  local why
  why="$(last_lines "$1" 8)
exit code $2, whole log: $1"
  if grep -qE 'No space left on device' "$1"; then
    die 'the disk filled up while preparing the base image' \
      "$IMAGES (on $(mount_point_of "$IMAGES")) has $(human_bytes "$(free_bytes "$IMAGES")") free
whole log: $1" "free some room, or choose another folder: CARREL_IMAGES=/big/folder ./carrel up"
  elif grep -qE 'Failed to fetch|Could not resolve|Temporary failure resolving|Could not connect|Connection timed out' "$1"; then
    die "cannot get the Debian packages of the base image" "$(grep -E '^(Err|E:|W:)|Failed to fetch|Could not' "$1" | sort -u | cut -c1-200 | head -n6)
whole log: $1" 'check the network and the proxy (http_proxy, /etc/apt/apt.conf.d), then run the same command again; what was fetched is kept'
  fi
  die 'preparing the base image failed' "$why" 'mend what it says, then run the same command again'
}
