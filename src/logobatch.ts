/** `logobatch`: the compiler's command line. What a command does not need is not loaded. */
import { version } from './version.ts';

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${version}\n`);
} else {
  const { main } = await import('./cli/arguments.ts');
  process.exitCode = await main(args);
}
