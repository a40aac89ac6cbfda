# ./carrel image: the base image by hand.
# shellcheck shell=bash

help_image() {
  cat <<TEXT
usage: ./carrel image [build|path|digest|list]

  build    prepare the base image now (what 'up' does; nothing when it is there)
  path     print the folder of the image, exit code 1 when it is not built yet     (default)
  digest   print the digest of its recipe
  list     print every image in $IMAGES

Images are in $IMAGES (CARREL_IMAGES).
TEXT
}

command_image() {
  local action=${1-path}
  (($# <= 1)) || unknown_argument image "$2"
  case $action in
    digest) printf '%s\n' "$(image_digest)" ;;
    path)
      printf '%s\n' "$(image_path)"
      image_ready "$(image_path)" || {
        note 'not built yet: ./carrel image build' >&2
        return 1
      }
      ;;
    build)
      require_root 'image build'
      require_debian
      require_kernel
      install_packages build
      prepare_image
      printf '%s\n' "$image"
      ;;
    list) list_images ;;
    *) unknown_argument image "$action" build path digest list ;;
  esac
}

list_images() {
  local folder current
  current=$(image_digest)
  for folder in "$IMAGES"/*/; do
    folder=${folder%/}
    image_ready "$folder" || continue
    printf '%s  %s%s\n' "$folder" "$(jq -r '"\(.built_at // "-")  \(((.size_bytes // 0) / 1e9 * 10 | round) / 10) GB"' "$folder/image.json" 2>/dev/null)" \
      "$([[ ${folder##*/} != "$current" ]] || printf '  (current)')"
  done
}
