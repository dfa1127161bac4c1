# Draws a sweep as SVG: above, the burned share and how often the fire gets through; below, how long it burns.
#
#   awk -f src/plot.awk threshold.csv summary.csv > percolation.svg

BEGIN { FS = "," }
FNR == 1 { next }
NR == FNR { if ($1 == "mean") { threshold = $2; error = $3 } next }
{ n++; density[n] = $1; fires = $2; share[n] = $3; share_error[n] = $4; reached[n] = $5; steps[n] = $6; steps_error[n] = $7 }

END {
  split("", none)
  left = 70; right = 690
  first = density[1]; last = density[n]
  for (at = 1; at <= n; at++) if (steps[at] + steps_error[at] > highest) highest = steps[at] + steps_error[at]
  highest = 100 * (int(highest / 100) + 1)

  print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 560\" font-family=\"sans-serif\" font-size=\"13\">"
  print "<rect width=\"720\" height=\"560\" fill=\"#fff\"/>"
  print "<text x=\"70\" y=\"26\" font-size=\"16\">Forest fire on a square lattice, " fires " landscapes a density</text>"

  panel(50, 320, 1, 0.25, "share")
  mark_threshold(50, 320)
  curve(reached, none, 1, "#3b6ea5")
  curve(share, share_error, 1, "#d1495b")
  label(78, 72, "#d1495b", "burned share of all trees")
  label(78, 92, "#3b6ea5", "share of fires that reach the far edge")

  panel(350, 500, highest, 200, "steps")
  mark_threshold(350, 500)
  curve(steps, steps_error, highest, "#5b5b5b")
  label(78, 372, "#5b5b5b", "steps until the fire is out")

  for (tick = first_tick(first); tick <= last + 1e-9; tick += 0.05)
    printf "<text x=\"%.1f\" y=\"520\" text-anchor=\"middle\">%.2f</text>\n", across(tick), tick
  print "<text x=\"380\" y=\"546\" text-anchor=\"middle\">tree density</text>"
  print "</svg>"
}

# A frame from y = upper to y = lower for values from 0 to `most`, with a line every `step`.
function panel(upper, lower, most, step, name,    value, format) {
  ceiling = upper; bottom = lower
  format = most > 1 ? "%d" : "%.2f"
  for (value = 0; value <= most + 1e-9; value += step) {
    printf "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>", left, up(value, most), right
    printf "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">" format "</text>\n", left - 8, up(value, most) + 4, value
  }
  printf "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#333\"/>\n", left, upper, lower, right
  printf "<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n", (upper + lower) / 2, name
}

# The band is one standard error to each side.
function mark_threshold(upper, lower) {
  printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#f2c14e\" opacity=\"0.4\"/>", \
    across(threshold - error), upper, across(threshold + error) - across(threshold - error), lower - upper
  printf "<path d=\"M%.1f %dV%d\" stroke=\"#b8860b\" stroke-dasharray=\"4 3\"/>\n", across(threshold), upper, lower
  if (upper < 100) {
    label(across(threshold) + 12, lower - 34, "#8a6508", "threshold " threshold " \302\261 " error)
    label(across(threshold) + 12, lower - 14, "#8a6508", "bars and band: one standard error")
  }
}

# Dots joined by lines; `errors` is an array of standard errors, an empty one where there are none.
function curve(values, errors, most, colour,    at, line) {
  for (at = 1; at <= n; at++) line = line sprintf("%s%.1f %.1f", at > 1 ? "L" : "M", across(density[at]), up(values[at], most))
  printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", line, colour
  printf "<g fill=\"%s\" stroke=\"%s\">", colour, colour
  for (at = 1; at <= n; at++) {
    printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", across(density[at]), up(values[at], most)
    if (errors[at] > 0)
      printf "<path d=\"M%.1f %.1fV%.1f\"/>", across(density[at]), up(values[at] - errors[at], most), up(values[at] + errors[at], most)
  }
  print "</g>"
}

function label(x, y, colour, text) { printf "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n", x, y, colour, text }
function across(value) { return left + (value - first) / (last - first) * (right - left) }
function up(value, most) { return bottom - value / most * (bottom - ceiling) }

# The first multiple of 0.05 that is not below x.
function first_tick(x,    tick) { for (tick = 0; tick < x - 1e-9; tick += 0.05); return tick }
