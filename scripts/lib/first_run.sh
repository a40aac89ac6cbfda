# The very first run: a workspace `default` with a computer `hello`, and its picture. Each part is done only when it is
# not there yet, so a first run that was broken off goes on where it stopped.
# shellcheck shell=bash

FIRST_RUN_DONE=first-run.done # in the data folder; a computer that its owner deleted later is not made again

workspace_id() { jq -er '[.workspaces[] | select(.name == "default")][0].id' <<<"$answer" 2>/dev/null; }

first_run() {
  local workspace computer
  [[ ! -e $DATA/$FIRST_RUN_DONE ]] || return 0
  step_name='making the first computer'
  api GET /workspaces && [[ $status == 200 ]] || first_run_failed 'listing the workspaces'
  if ! workspace=$(workspace_id); then
    api POST /workspaces '{"name":"default"}' || first_run_failed 'making the workspace default'
    [[ $status == 201 ]] || first_run_failed 'making the workspace default'
    workspace=$(jq -er .id <<<"$answer") || first_run_failed 'making the workspace default'
  fi
  api GET "/workspaces/$workspace" && [[ $status == 200 ]] || first_run_failed 'reading the workspace default'
  if ! computer=$(jq -er '[.desktops[] | select(.name == "hello")][0].id' <<<"$answer" 2>/dev/null); then
    say 'Making the first computer…'
    api POST /computers "$(jq -n --arg w "$workspace" '{workspace_id: $w, name: "hello"}')" || first_run_failed 'making the computer hello'
    [[ $status == 201 ]] || first_run_failed 'making the computer hello'
    computer=$(jq -er .id <<<"$answer") || first_run_failed 'making the computer hello'
  fi
  # A computer that was being made when the last run was broken off is waited for here; a stopped one is started.
  api POST "/computers/$computer/ensure-running" '{}' && [[ $status == 200 ]] || first_run_failed 'starting the computer hello'
  api_file "/computers/$computer/screenshot?response_format=binary&settle=true" "$DATA/hello.png" ||
    first_run_failed "taking the computer's picture"
  : >"$DATA/$FIRST_RUN_DONE"
  step_name=''
  say "${green}✓${plain} First computer: hello (workspace default), its screen is in $DATA/hello.png"
}

first_run_failed() { # WHAT
  die "$1 failed" "the server answered ${status:-nothing}: $(api_error)
server log: $LOG" "mend what it says and run '$(settings_prefix) up' again; the server runs meanwhile" \
    "or go on without a first computer: $(settings_prefix) up --no-first-run"
}
