# Where things are. Environment first, then carrel.json, then the defaults; flags of a command call use_data and use_listen again.
# shellcheck shell=bash disable=SC2034  # the other parts read these

readonly DEFAULT_DATA=/var/lib/carrel DEFAULT_LISTEN=http://127.0.0.1:7300 DEFAULT_IMAGES=/var/cache/carrel/images

# The output of the tools this script reads is wanted in English; bytes of any language pass.
export LC_ALL=C.UTF-8
export HOME=${HOME:-/root}
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_CLI_UI_LANGUAGE=en
# No build server may outlive a command of this script.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false

use_data() {
  DATA=$(realpath -m -- "$1")
  LOG=$DATA/logs/server.log
  PID_FILE=$DATA/server.pid
  KEY_FILE=$DATA/admin.key
  export CARREL_DATA=$DATA
}

# use_listen URL WHERE: takes http://host:port apart. WHERE names the source for the message.
use_listen() {
  local url=${1%/} where=$2 pattern='^http://(\[[0-9a-fA-F:.]+\]|[^][/:@]+)(:([0-9]+))?$'
  [[ $url =~ $pattern ]] || usage_error "cannot listen on '$1' ($where)" 'it is not of the form http://host:port' \
    "use for example $DEFAULT_LISTEN"
  LISTEN_HOST=${BASH_REMATCH[1]}
  LISTEN_PORT=${BASH_REMATCH[3]:-80}
  ((LISTEN_PORT = 10#$LISTEN_PORT, LISTEN_PORT >= 1 && LISTEN_PORT <= 65535)) ||
    usage_error "cannot listen on '$1' ($where)" 'a port is a number from 1 to 65535' "use for example $DEFAULT_LISTEN"
  LISTEN=$url
  # What a browser on this host types: the wildcard addresses are no destination.
  case $LISTEN_HOST in
    0.0.0.0 | '*' | +) BASE_URL=http://127.0.0.1:$LISTEN_PORT ;;
    '[::]') BASE_URL="http://[::1]:$LISTEN_PORT" ;;
    *) BASE_URL=http://$LISTEN_HOST:$LISTEN_PORT ;;
  esac
  export CARREL_LISTEN=$LISTEN
}

use_images() {
  IMAGES=$(realpath -m -- "$1")
  export CARREL_IMAGES=$IMAGES
}

# A setting of carrel.json, a flat object of strings. Read without jq, which a fresh host does not have yet.
configured() { # NAME
  [[ ! -r $CONFIG ]] || sed -nE 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"([^"]*)".*/\1/p' "$CONFIG" | head -n1
}

use_settings() {
  local value
  use_data "${CARREL_DATA:-$DEFAULT_DATA}"
  # The server runs in its data folder and looks for the file there.
  CONFIG=${CARREL_CONFIG:-$DATA/carrel.json}
  if [[ -n ${CARREL_LISTEN:-} ]]; then
    use_listen "$CARREL_LISTEN" CARREL_LISTEN
  else
    value=$(configured listen)
    use_listen "${value:-$DEFAULT_LISTEN}" "$CONFIG"
  fi
  value=${CARREL_IMAGES:-$(configured images)}
  use_images "${value:-$DEFAULT_IMAGES}"
}

# How this installation is named on a command line, for hints that can be pasted: empty for the default one.
settings_prefix() {
  local prefix=''
  [[ $DATA == "$DEFAULT_DATA" ]] || prefix+="CARREL_DATA=$(printf '%q' "$DATA") "
  [[ $LISTEN == "$DEFAULT_LISTEN" ]] || prefix+="CARREL_LISTEN=$(printf '%q' "$LISTEN") "
  [[ $IMAGES == "$DEFAULT_IMAGES" ]] || prefix+="CARREL_IMAGES=$(printf '%q' "$IMAGES") "
  printf '%s./carrel' "$prefix"
}
