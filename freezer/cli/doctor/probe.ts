/** Runs dist/frore-probe, which tries things in processes of its own. */
import {execFileSync} from 'node:child_process';
import {EXIT, FroreError} from '../../../builder/errors.js';
import {packagePath} from '../../sys/package.js';

/** errno of each try by its name, 0 when it worked. */
export type Tries = ReadonlyMap<string, number>;

export const parseTries = (text: string): Tries =>
	new Map([...text.matchAll(/^([a-z-]+) (\d+)$/gm)].map(([, name, code]) => [name!, Number(code)]));

export function runProbe(): Tries {
	const path = packagePath('probe');
	try {
		return parseTries(execFileSync(path, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000}));
	} catch (error) {
		throw new FroreError('probe', `cannot run ${path}: ${(error as Error).message.split('\n')[0]}`, EXIT.FAILED, {
			hint: 'Build it with `npm run build probe`; it needs gcc.',
			cause: error,
		});
	}
}
