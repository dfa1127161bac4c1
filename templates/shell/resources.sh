# resources.sh: where jobs may run: this machine, with a slot a processor. Sourced by start.

case ${GRID-} in '' | local) ;; *)
  echo "GRID=$GRID: in this version jobs run on this machine only (GRID=local)" >&2
  exit 2
  ;;
esac

# Slots belong to the user, not to the image: their locks lie in a folder that all images share, in memory if there is such a file system.
if [ -z "${LOGOBATCH_SLOTS-}" ]; then
  LOGOBATCH_SLOTS=${TMPDIR:-/tmp}/logobatch-$(id -u)
  [ ! -w /dev/shm ] || LOGOBATCH_SLOTS=/dev/shm/logobatch-$(id -u)
fi
(umask 077 && mkdir -p "$LOGOBATCH_SLOTS") && [ -O "$LOGOBATCH_SLOTS" ] && [ ! -L "$LOGOBATCH_SLOTS" ] || {
  echo "cannot use $LOGOBATCH_SLOTS for slots: it must be a folder of yours" >&2
  exit 1
}
export LOGOBATCH_SLOTS

slots=${LOGOBATCH_LOCAL_SLOTS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc)}
case $slots in '' | 0* | *[!0-9]*)
  echo "LOGOBATCH_LOCAL_SLOTS=$slots must be a whole number, at least 1" >&2
  exit 2
  ;;
esac
memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null)
# node, slots, MiB of memory that come with a slot (0: unknown)
echo "local $slots $((${memory:-0} / slots))" >"$state/grid"

# Each batch's setup runs once a run, before its first job.
cut -d / -f 3,4 "$lists/todo" | sort -u | while read -r batch; do (. ".logobatch/batches/$batch" && printf '%s\n' "$setup"); done | sort -u |
  while IFS= read -r script; do
    [ -z "$script" ] || sh "./$script" </dev/null >"$state/setup.log" 2>&1 8>&- || {
      echo "setup $script failed (exit $?) on this machine; its output is in $state/setup.log:" >&2
      tail -n 10 "$state/setup.log" | sed 's/^/    | /' >&2
      exit 1
    }
  done || exit 1
