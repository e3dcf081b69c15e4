import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';

/** A freeze is over before optimised code has paid for itself; compiling it would take the processors from the work. */
export function compileLittle(): void {
	setFlagsFromString('--max-optimized-bytecode-size=0');
}

/** Collects short-lived garbage now, so that it need not be done while the target stands still. */
export function collectGarbage(): void {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as ((options: {type: string}) => void) | undefined;
	collect?.({type: 'minor'});
}
