# The square root of x, by Newton's method from above: busybox awk may be built without sqrt().
function root(x,    guess, next_guess) {
  if (x <= 0) return 0
  next_guess = x > 1 ? x : 1
  do {
    guess = next_guess
    next_guess = (guess + x / guess) / 2
  } while (next_guess < guess)
  return guess
}
