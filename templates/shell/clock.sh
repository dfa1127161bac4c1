# clock.sh: time without a process. Sourced by run, and by agent on a node.

# now: sets $now, hundredths of a second since this machine started.
now() {
  if { read -r uptime _ </proc/uptime; } 2>/dev/null; then now=${uptime%.*}${uptime#*.}; else now=$(date +%s)00; fi
}

# spent FILE: sets $spent, the processor time of all that this shell has waited for, in hundredths of a second. FILE is for `times` to write to.
spent() {
  times >"$1"
  { read -r _; read -r user system; } <"$1"
  spent=0
  for part in "$user" "$system"; do
    part=${part%s} seconds=${part#*m}
    fraction=${seconds#*.}00
    spent=$((spent + ${part%%m*} * 6000 + ${seconds%.*} * 100 + 1${fraction%"${fraction#??}"} - 100))
  done
}

# decimal HUNDREDTHS: sets $decimal, e.g. 12.05
decimal() {
  decimal=$(($1 % 100))
  [ "$decimal" -gt 9 ] || decimal=0$decimal
  decimal=$(($1 / 100)).$decimal
}
