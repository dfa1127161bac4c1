# summary.awk: reads the courses of all epidemics; a line for each rate: runs, and on average the peak and how many fell ill in all.
BEGIN { FS = "," }

FNR == 1 { peak = 0; next }
FNR == 2 { rate = $1; if (!(rate in runs)) rates[++n] = rate; runs[rate]++ }
$5 > peak { peaks[rate] += $5 - peak; peak = $5 }
$5 == 0 { ill[rate] += $6 }

END {
  for (i = 2; i <= n; i++)
    for (j = i; j > 1 && rates[j] + 0 < rates[j - 1] + 0; j--) { swap = rates[j]; rates[j] = rates[j - 1]; rates[j - 1] = swap }
  print "rate,runs,peak,ill"
  for (i = 1; i <= n; i++) print rates[i] "," runs[rates[i]] "," peaks[rates[i]] / runs[rates[i]] "," ill[rates[i]] / runs[rates[i]]
}
