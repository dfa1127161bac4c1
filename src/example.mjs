/** `npm run example`: compiles example-image and runs all its jobs on this machine, starting from a fresh clone. */
import { buildPrograms, installPackages, step } from './fresh.mjs';

installPackages();
buildPrograms();
step(process.execPath, 'dist/logobatch.mjs', 'compile', 'example-image');
step('make', '-C', 'example-image', '--no-print-directory', 'all');
console.log(
  'The results are in example-image/data/processed/: one folder a job, each with the outputs and job.out.',
);
