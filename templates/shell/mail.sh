# mail.sh: tells a bbatch's addresses how a batch ended. Sourced by start.

# mail_batches: one mail for each batch that this run has worked on and whose `email` is on.
mail_batches() {
  [ -f .logobatch/email ] || return 0
  cut -d / -f 3,4 "$state/todo" | sort | uniq -c | while read -r jobs batch; do
    grep -qx 'email=1' ".logobatch/batches/$batch" || continue
    # A tab is white space to `read`, which would skip an empty field.
    tr '\t' '|' <.logobatch/email | while IFS='|' read -r bbatch from to; do
      [ "$bbatch" = "${batch%%/*}" ] || continue
      bad=$(grep -c "^data/processed/$batch/" "$state/failed")
      good=$(grep -c "^data/processed/$batch/" "$state/ok")
      line="$batch: $good of $jobs jobs done$(many "$bad" ', # failed' ', # failed')"
      {
        printf '%s\nin %s\n\n' "$line" "$PWD"
        grep "^data/processed/$batch/" "$state/failed" | head -n 50
        printf '\nSent by LogoBatch at the end of make.\n'
      } | node .logobatch/runtime.mjs mail --to "$to" ${from:+--from "$from"} --subject "$line" || echo "could not send mail to $to about $batch" >&2
    done
  done
}
