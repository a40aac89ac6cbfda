# Interactive or not: what the computer's owner put into .env is there.
if [ -f /root/.env ]; then set -a; . /root/.env; set +a; fi
case $- in *i*) ;; *) return ;; esac

HISTSIZE=10000 HISTFILESIZE=20000 HISTCONTROL=ignoreboth
shopt -s histappend checkwinsize globstar
PS1='\[\e[1;34m\]\w\[\e[0m\] \[\e[1;36m\]\$\[\e[0m\] '
case $TERM in xterm*) PS1='\[\e]0;\w\a\]'$PS1 ;; esac
eval "$(dircolors -b)"
alias ls='ls --color=auto' ll='ls -l' la='ls -A' grep='grep --color=auto'
[ -f /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
