/** Registers a test for each user it must work as. */
import {appendFileSync, mkdirSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {type Identity, identities, modes, Stage} from './stage.js';

export type Play = (t: ExecutionContext, stage: Stage) => Promise<void>;

/** Why a test cannot make sense in a test mode (FRORE_TEST_MODE), by mode. */
export type Unfit = Readonly<Record<string, string>>;

/** Of tests whose program is not to see what `--lazy` does differently. */
export const dropsMemory: Unfit = {
	lazy: 'memory of the snapshot that is dropped with MADV_DONTNEED does not become zero, and mremap(2) may fail',
};

function register(title: string, who: Identity, play: Play, unfit: Unfit = {}): void {
	const mode = Object.keys(unfit).find((name) => modes.has(name));
	if (mode) {
		test.skip(`${title} (${who.name}): not in mode ${mode}: ${unfit[mode]}`, () => undefined);
		return;
	}
	test.serial(`${title} (${who.name})`, async (t) => {
		const stage = new Stage(who);
		t.teardown(() => stage.close());
		try {
			await play(t, stage);
		} catch (error) {
			if (!(error instanceof Skipped)) throw error;
			skipped(t, error.message);
		}
	});
}

/** One test as root and one as an ordinary user; only the latter when the tests themselves run as one. */
export function asUsers(title: string, play: Play, unfit?: Unfit): void {
	for (const who of identities) register(title, who, play, unfit);
}

/** A test that only root can play. */
export function asRoot(title: string, play: Play): void {
	const root = identities.find(({uid}) => uid === 0);
	if (root) register(title, root, play);
	else test.skip(`${title} (root): the tests do not run as root`, () => undefined);
}

/** A test whose outcome does not depend on the user. */
export function asOrdinaryUser(title: string, play: Play, unfit?: Unfit): void {
	register(title, identities.at(-1)!, play, unfit);
}

/** Registers a test that cannot run here, with the reason. */
export function notHere(title: string, reason: string): void {
	test.skip(`${title}: ${reason}`, () => undefined);
}

/** Thrown when a running test finds that this machine cannot show its subject. */
export class Skipped extends Error {}

/** ava cannot skip a running test: it is noted for the count of .ci/run, and said. */
function skipped(t: ExecutionContext, reason: string): void {
	mkdirSync('.build', {recursive: true});
	const mode = modes.size > 0 ? ` (in mode ${[...modes].join()})` : '';
	appendFileSync('.build/skipped.txt', `${t.title}${mode}: ${reason}\n`);
	t.log(`skipped: ${reason}`);
	t.pass();
}
