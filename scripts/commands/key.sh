# ./carrel key: prints the admin API key, alone on its line, so that it can be used in $(...).
# shellcheck shell=bash

help_key() {
  cat <<TEXT
usage: ./carrel key

Prints the admin API key, which the server made at its first start. It is kept in CARREL_DATA/admin.key
($KEY_FILE), readable by root only.

  curl -H "Authorization: Bearer \$(./carrel key)" $BASE_URL/api/workspaces
TEXT
}

command_key() {
  (($# == 0)) || unknown_argument key "$1"
  [[ ! -d $DATA || -x $DATA ]] || die "cannot look into $DATA" "it belongs to root" "sudo $(settings_prefix) key"
  [[ -e $KEY_FILE ]] || die "there is no API key yet" "$KEY_FILE does not exist; the server writes it at its first start" \
    "$(settings_prefix) up --detach"
  [[ -r $KEY_FILE ]] || die "cannot read $KEY_FILE" "it belongs to root" "sudo $(settings_prefix) key"
  local key
  key=$(<"$KEY_FILE")
  [[ -n $key ]] || die "$KEY_FILE is empty" 'the first start was broken off' "$(settings_prefix) up --detach"
  printf '%s\n' "$key"
}
