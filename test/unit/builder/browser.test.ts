import vm from 'node:vm';
import test from 'ava';
import {build} from 'esbuild';
import {constants} from '../../../builder/format/schema.js';
import {createNativeEncoder, createNativeHasher} from '../../../freezer/sys/native.js';
import {fullSnapshot, smallArtefact, somePages} from '../../helpers/snapshots.js';

const page = `
import {bytesSource, openArtefact, readFrame, verify} from './builder/artefact-reader.js';
import {createHasher, createPakoDecoder} from './builder/portable-codec.js';
globalThis.open = async (bytes) => {
	const artefact = openArtefact(bytesSource(bytes), await createHasher());
	verify(artefact);
	return {snapshot: artefact.snapshot, first: readFrame(artefact, artefact.frames[0], createPakoDecoder())};
};
`;

test('an artefact is opened by code that knows nothing of Node', async (t) => {
	const {outputFiles} = await build({
		stdin: {contents: page, resolveDir: '.'},
		bundle: true,
		platform: 'browser',
		format: 'iife',
		write: false,
	});
	const browser = vm.createContext({TextDecoder, TextEncoder});
	vm.runInContext(outputFiles[0]!.text, browser);
	const bytes = smallArtefact(createNativeHasher(), createNativeEncoder(constants.CODEC.GZIP));
	const opened = await (browser.open as (bytes: Uint8Array) => Promise<{snapshot: unknown; first: Uint8Array}>)(
		vm.runInContext('(list) => Uint8Array.from(list)', browser)(bytes),
	);
	t.deepEqual(Array.from(opened.first), Array.from(somePages(8192)));
	const plain = (value: unknown): string =>
		JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
	t.is(plain(opened.snapshot), plain(fullSnapshot()));
});
