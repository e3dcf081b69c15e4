import {join} from 'node:path';
import {compileBundle, runBundle} from './bundle.js';

/** dist/frore.js. Put in by scripts/build/cli.ts: the bundle's name, which holds a hash of its content. */
declare const BUNDLE: string;

const bundle = join(__dirname, 'lib', BUNDLE);
runBundle(compileBundle(bundle), bundle);
