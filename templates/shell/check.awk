# check.awk: stale is not yet rerun. Reads what `make -n` would run, in its order (what is needed comes first), and compares each job's record
# with today's digests. Writes three lists into the folder `to`: same (stamps to touch), todo (job, reason), visits.mk (what make is to run).
# Variables: to, here, force, dry; environment: LOGOBATCH_DIGESTS ("src=1f… data_raw-3a=0c…"), files.now in `files`.

BEGIN {
  n = split(ENVIRON["LOGOBATCH_DIGESTS"], words, " ")
  for (i = 1; i <= n; i++) today[substr(words[i], 1, index(words[i], "=") - 1)] = words[i]
  while ((getline line < files) > 0) { split(line, words, "\t"); own[words[1]] = words[2] }
  while ((getline line < ".logobatch/shared") > 0) { split(line, words, "\t"); called[words[1]] = words[2] }
  same = to "/same"; todo = to "/todo"; visits = to "/visits.mk"
  printf "" > same; printf "" > todo
}

$1 == "run" {
  id = substr($2, 16)
  job = id; sub(/.*\//, "", job)
  batch = substr(id, 1, length(id) - length(job) - 1)
  if (!(batch in bundle)) know(batch)
  meaning(id, batch)
  reason = why(id)
  if (reason == "") { print $2 "/.done" > same; sames++ } else plan(id, batch, job, reason)
}

# A whole batch's record: if none of its jobs runs it can be brought up to date right here.
$1 == "gather" {
  if ($2 in first) { gathered[$2] = 1; next }
  system("sh " here "/gather " (dry ? "-n " : "") $2 " >" to "/gathered")
  if ((getline line < (to "/gathered")) > 0) whole[$2] = line
  close(to "/gathered")
  print "data/processed/" $2 "/.done" > same
}

# know: what the batch's file says.
function know(batch,   file, line, eq) {
  file = ".logobatch/batches/" batch
  bundle[batch] = 1; shared[batch] = needs[batch] = ""
  while ((getline line < file) > 0) {
    if (line ~ /^outputs=/) break
    eq = index(line, "=")
    if (line ~ /^bundle=/) bundle[batch] = substr(line, eq + 1) + 0
    else if (line ~ /^(shared|needs)=/) {
      value = substr(line, eq + 1); gsub(/'/, "", value)
      if (line ~ /^shared/) shared[batch] = value; else needs[batch] = value
    }
  }
  close(file)
  folders[batch] = ""
  n = split(shared[batch], words, " ")
  for (i = 1; i <= n; i++) folders[batch] = folders[batch] (i > 1 ? "," : "") today[words[i]]
  if (n == 0) folders[batch] = "-"
}

# meaning: what the job is made of today, in the words of its record; `pending` if something it needs is still to run.
function meaning(id, batch,   file, line, n, i, words) {
  file = "data/processed/" id "/jobfile.sh"
  digest = pairs = needed = ""; pending = ""
  if ((getline line < file) > 0 && (getline line < file) > 0) {
    split(line, words, " "); digest = words[2]; cpus[id] = words[3]
    if ((getline line < file) > 0 && line ~ /^#: needs /) pairs = substr(line, 10)
  }
  close(file)
  n = split(needs[batch], words, " ")
  for (i = 1; i <= n; i++) {
    if (words[i] in first) pending = words[i]
    else needed = needed (needed == "" ? "" : ",") words[i] "=" result(words[i], 1)
  }
  n = split(pairs, words, " ")
  for (i = 1; i <= n; i++) {
    if (words[i] in visit) { pending = words[i]; edge[id] = edge[id] " v" visit[words[i]] }
    else needed = needed (needed == "" ? "" : ",") words[i] "=" result(words[i], 0)
  }
  file = (id in own) ? own[id] : "-"
  current = "logobatch 1 " digest " " folders[batch] " " file " " (needed == "" ? "-" : needed)
}

# result: the digest that a record names: a whole batch's or a job's.
function result(id, all,   file, line, words) {
  if (all && (id in whole)) return whole[id]
  file = "data/processed/" id "/.done"; line = ""
  if ((getline line < file) > 0 && !all) getline line < file
  close(file)
  split(line, words, " ")
  return words[all ? 3 : 2]
}

# why: the reason for running, in words; empty if there is none.
function why(id,   file, line, old, new) {
  file = "data/processed/" id "/.done"
  if ((getline line < file) <= 0) { close(file); return there("data/processed/" id ".failed/job.err") ? "failed last time" : "no result yet" }
  close(file)
  if (forced(id)) return "make -B"
  split(line, old, " "); split(current, new, " ")
  if (old[3] != new[3]) return "its command, values or settings changed"
  if (old[4] != new[4]) return changed(old[4], new[4]) " changed"
  if (old[5] != new[5]) return "its files changed"
  if (pending != "") return "if " pending " changes"
  if (old[6] != new[6]) return changed(old[6], new[6]) " changed"
  return ""
}

# forced: with -B, the targets that were asked for run again, but not all that they need.
function forced(id,   n, i, words) {
  n = split(force, words, " ")
  for (i = 1; i <= n; i++) {
    sub(/^data\/processed\//, "", words[i]); sub(/\/\.done$/, "", words[i])
    if (words[i] == "all" || id == words[i] || index(id, words[i] "/") == 1) return 1
  }
  return 0
}

# changed: the names whose digests differ in two lists "a=1,b=2"; of stamps, the folders.
function changed(before, after,   n, i, list, was, names, name) {
  n = split(before, list, ","); for (i = 1; i <= n; i++) was[list[i]] = 1
  n = split(after, list, ",")
  for (i = 1; i <= n; i++) if (!(list[i] in was)) {
    name = list[i]; sub(/=.*/, "", name)
    names = names (names == "" ? "" : ", ") (name in called ? called[name] : name)
  }
  return names == "" ? "what it needs" : names
}

function there(file,   line, is) { is = (getline line < file) >= 0; close(file); return is }

# plan: the job joins the visit its batch is filling, if it is alike and there is room.
function plan(id, batch, job, reason) {
  print "data/processed/" id "\t" reason > todo
  total++
  if (!(batch in first)) { first[batch] = 1; order[++batches] = batch }
  open = filling[batch]
  if (open == "" || filled[open] >= bundle[batch] || width[open] != cpus[id]) {
    open = filling[batch] = ++count
    of[open] = batch; width[open] = cpus[id]; sequence[open] = total
    list[batch] = list[batch] " v" open
  }
  filled[open]++
  jobs[open] = jobs[open] " " job
  if (id in edge) after[open] = after[open] edge[id]
  visit[id] = open
}

END {
  print "# What this run has to do: one target a visit to a slot. Written by LogoBatch's start, used once." > visits
  print ".SUFFIXES:" > visits
  all = ""
  for (b = 1; b <= batches; b++) {
    batch = order[b]
    all = all list[batch]
    if (batch in gathered) {
      print batch ":" list[batch] "\n\t@sh " here "/gather " batch " >/dev/null" > visits
      all = all " " batch
    } else print batch ":" list[batch] > visits
  }
  print ".PHONY: all" all "\nall:" all > visits
  for (v = 1; v <= count; v++) {
    batch = of[v]; wait = after[v]
    n = split(needs[batch], words, " ")
    for (i = 1; i <= n; i++) if (words[i] in first) wait = wait " " words[i]
    print "v" v ":" wait "\n\t@sh " here "/run " batch " " sequence[v] " " width[v] jobs[v] > visits
  }
  print total + 0, sames + 0, count + 0
}
