# fast.sh: a task's folder on a disk that only its machine sees. Sourced by task. Needs processes.sh and remove.sh.
#
# A task that is ended at one blow with its warden leaves its folder there, and nobody but a task ever comes to that machine. So each signs its own, and
# removes those of ours whose signers are dead. What is not signed, or by somebody of whom that cannot be told, is let alone.
#
#   <array>.<task>.<pid>/owner    logobatch <machine> <boot> <namespace of pids> <pid> <birth>

# standpoint: sets $machine_id, $boot and $space: what a pid means here. Fails where that cannot be told.
standpoint() {
  { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null && space=$(readlink "/proc/$$/ns/pid") && [ -n "$space" ] || return
  # Names alone are given twice, and so are disks. Without both it is another machine each time that it starts.
  { read -r machine_id </etc/machine-id; } 2>/dev/null || machine_id=$boot
  machine_id=$(uname -n)/$machine_id
}

# sign_folder: the current one is this task's.
sign_folder() {
  standpoint && echo "logobatch $machine_id $boot $space $$ $(born $$)" >owner
}

# is_left FOLDER: whoever has signed it is dead.
is_left() {
  [ -f "$1/owner" ] && { read -r word where since among pid birth <"$1/owner"; } 2>/dev/null || return
  [ "$word $where" = "logobatch $machine_id" ] || return
  case $pid$birth in '' | *[!0-9]*) return 1 ;; esac
  # The machine was started anew.
  [ "$since" = "$boot" ] || return 0
  [ "$among" = "$space" ] || return
  ! alive "$pid" || [ "$(born "$pid")" != "$birth" ]
}

# clear_left FOLDER: removes what dead tasks have left in it. In a shell of its own: the task's variables stay what they are.
clear_left() (
  for folder in "$1"/lb-*.*.*; do
    [ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ] || continue
    signed=${folder##*/}
    case $signed in *[!A-Za-z0-9.-]* | *.*.*.*) continue ;; esac
    standpoint && is_left "$folder" && ! mounted "$(cd "$folder" && pwd -P)" || continue
    numbers=${signed#*.}
    # A task that the scheduler begins anew has the same words but for its pid.
    reap "LOGOBATCH_JOB=${signed%%.*}\\.${numbers%.*}\\.${numbers#*.}\\." || continue
    find "$folder" -xdev -type d ! -perm -700 -exec chmod u+rwx {} \;
    # The signature goes last: what is interrupted is gone on with by the next.
    find "$folder" -mindepth 1 -maxdepth 1 ! -name owner -exec rm -rf {} + && rm -f "$folder/owner" && rmdir "$folder"
  done 2>/dev/null </dev/null
)
