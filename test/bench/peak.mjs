/** Loaded before a program (`node --import`): says on stderr how much memory it needed at most, in MiB. */
process.on('exit', () =>
  process.stderr.write(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`),
);
