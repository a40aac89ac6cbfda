# The progress of a long step with the time left. The step tells in lines `progress <0-100> <seconds left|-> <what>` on
# its stdout; everything else it says goes to the log.
# shellcheck shell=bash

progress_bar() { # PERCENT WIDTH
  local filled=$(($1 * $2 / 100)) bar
  printf -v bar '%*s' "$filled" ''
  printf '%s' "${bar// /█}"
  printf -v bar '%*s' "$(($2 - filled))" ''
  printf '%s' "${bar// /░}"
}

progress_text() { # PERCENT SECONDS_LEFT WHAT
  local left=''
  [[ $2 == - ]] || left=", about $(human_seconds "$2") left"
  printf '%3d %%%s  %s' "$1" "$left" "$3"
}

# Reads the lines of a step from descriptor step_output until it ends. Between two lines the time left counts down.
show_progress() { # NAME LOG
  local name=$1 log=$2 line code percent=0 left=- what='starting' told=-100 told_at=0 now word number text columns
  # The width of the terminal; without one the bar is not drawn.
  columns=$({ stty size </dev/tty; } 2>/dev/null | cut -d' ' -f2) || true
  [[ ${columns:-0} -ge 40 ]] || columns=80
  while :; do
    code=0
    IFS= read -r -t 1 -u "$step_output" line || code=$?
    if ((code == 0)); then
      if [[ $line =~ ^progress\ ([0-9]{1,3})\ (-|[0-9]+)\ (.*)$ ]]; then
        number=$((10#${BASH_REMATCH[1]})) word=${BASH_REMATCH[2]} what=${BASH_REMATCH[3]}
        # A bar that goes back would be a lie about what is done.
        ((number <= percent)) || percent=$((number > 100 ? 100 : number))
        left=$word
      else
        printf '%s\n' "$line" >>"$log"
        continue
      fi
    elif ((code <= 128)); then
      break # end of output
    elif [[ $left != - ]]; then
      ((left = left > 1 ? left - 1 : 1))
    fi
    if is_terminal; then
      text=$(progress_text "$percent" "$left" "$what")
      printf '\r\e[K%s %s%s%s %s' "$name" "$green" "$(progress_bar "$percent" 24)" "$plain" \
        "${text:0:columns - ${#name} - 27}"
    else
      # A log wants few lines: one per tenth or per half minute.
      now=$(uptime_seconds)
      if ((percent >= told + 10 || now >= told_at + 30)); then
        say "$name: $(progress_text "$percent" "$left" "$what")"
        told=$percent told_at=$now
      fi
    fi
  done
  ! is_terminal || printf '\r\e[K'
}
