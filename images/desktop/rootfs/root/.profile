[ -n "$BASH" ] && [ -f /root/.bashrc ] && . /root/.bashrc
