import test from 'ava';
import {boundFeatures, cpuFeatures, featuresIn, glibcFeatures} from '../../../freezer/capture/cpu-features.js';

const leaf1 = [0x000806f8, 0x00020800, 0x7ffafbff | 0, 0x1f8bfbff];
const leaf7 = [2, 0xf1bf07ab | 0, 0x1b415f6e, 0xffdd4432 | 0];

function features(active1: number[], active7: number[]): Buffer {
	const words = [
		1,
		32,
		6,
		143,
		8,
		...leaf1.map((w, i) => (i === 1 ? 0x01020800 : w)),
		...active1,
		...leaf7,
		...active7,
	];
	return Buffer.concat([Buffer.alloc(64), Buffer.from(Int32Array.from([...words, ...new Array(16).fill(0)]).buffer)]);
}

test('what glibc holds usable is found behind the raw CPUID registers, whichever CPU they were read on', (t) => {
	const active = glibcFeatures(features([0, 0, 1 << 28, 0], [0, 1 << 5, 0, 0]), leaf1, leaf7);
	t.truthy(active);
	t.deepEqual(
		featuresIn(cpuFeatures, active!).map((feature) => feature.name),
		['avx', 'avx2'],
	);
});

test('data without them gives nothing', (t) => {
	t.is(glibcFeatures(Buffer.alloc(4096, 1), leaf1, leaf7), undefined);
});

test('AVX-512 parts without the foundation, and RTM beside it, bind nothing', (t) => {
	const named = (...names: string[]) => cpuFeatures.filter((feature) => names.includes(feature.name));
	const bound = (...names: string[]) => boundFeatures(named(...names)).map((feature) => feature.name);
	t.deepEqual(bound('avx2', 'avx512dq'), ['avx2']);
	t.deepEqual(bound('avx2', 'rtm'), ['avx2', 'rtm']);
	t.deepEqual(bound('avx2', 'rtm', 'avx512f', 'avx512bw', 'avx512vl'), ['avx2', 'avx512f', 'avx512bw', 'avx512vl']);
});
