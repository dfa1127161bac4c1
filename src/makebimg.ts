/** `makebimg`: makes a new Batch Image. What is not needed is not loaded. */
import { version } from './version.ts';

const args = process.argv.slice(2);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${version}\n`);
} else if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`makebimg needs Node.js 20.19 or newer; this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  try {
    const { main } = await import('./scaffold/arguments.ts');
    process.exitCode = await main(args, new Date().getFullYear());
  } catch (error) {
    const text = error instanceof Error ? error.stack : String(error);
    process.stderr.write(
      `makebimg: this is a mistake of ours, please report it (version ${version})\n${text}\n`,
    );
    process.exitCode = 1;
  }
}
