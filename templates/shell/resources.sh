# resources.sh: where the jobs of this run may run. Sourced by start. Without a grid file that is this machine, with a slot a processor.

[ -n "${grid+found}" ] || look_for_nodes || exit
# shellcheck disable=SC2046 # names of batches
needs_of $(cut -d / -f 3,4 "$lists/todo" | sort -u) || exit

# here: this machine as run/grid has it: name, kind, slots, MiB of memory a slot (0: unknown), gpus, tags, programs.
here_alone() {
  slots=${LOGOBATCH_LOCAL_SLOTS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc)}
  case $slots in '' | 0* | *[!0-9]*)
    echo "LOGOBATCH_LOCAL_SLOTS=$slots must be a whole number, at least 1" >&2
    exit 2
    ;;
  esac
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null)
  gpus=0 has=
  for device in /dev/nvidia[0-9]*; do [ ! -e "$device" ] || gpus=$((gpus + 1)); done
  for program in $programs; do ! command -v "$program" >/dev/null || has="$has$program,"; done
  echo "local local $slots $((${memory:-0} / slots)) $gpus - ${has:--}" >"$state/grid"
}

rm -rf "$state/nodes" "$state/coming" "$state/attached"
: >"$state/grid"
if [ -z "$grid" ]; then
  here_alone
else
  [ -n "$picky" ] || awk '$2 ~ /shell\/run$/ { slots += $5 } END { print "breadth", slots }' "$state/visits.mk" >>"$state/needs"
  trap 'release_nodes; exit 130' INT
  trap 'release_nodes; exit 143' TERM
  trap 'release_nodes; exit 129' HUP
  go
  await_nodes || exit
fi

# Each batch's setup runs once a run, before its first job; on other nodes the runtime sees to that. Where it fails, none of its jobs run.
if this=$(grep '^[^ ]* local ' "$state/grid"); then
  printf '%s\n' "$setups" | while IFS='	' read -r script batches; do
    [ -z "$script" ] || sh "./$script" </dev/null >"$state/setup.log" 2>&1 7>&- 8>&- || {
      echo "setup $script failed (exit $?) on this machine, where no jobs of $batches run now:" >&2
      tail -n 10 "$state/setup.log" | sed 's/^/    | /' >&2
      unprepared=$state/nodes/${this%% *}/unprepared/$script
      mkdir -p "${unprepared%/*}" && : >"$unprepared"
    }
  done
fi
slots=0 nodes=0 coming=${coming:-0}
while read -r _ _ more _; do slots=$((slots + more)) nodes=$((nodes + 1)); done <"$state/grid"
