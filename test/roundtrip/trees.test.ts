/** Whole trees: one consistent cut, and everything that relatives share comes back shared. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

const PYTHON = '/usr/bin/python3';

asUsers('a parent keeps its children, their groups and sessions, and what they share', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('tree')], {halt: true, generations: 2});
});

asUsers('the original of a frozen tree goes on', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('tree')], {
		between: () => writeFileSync(join(stage.dir, 'shared-offset'), 'abcdef'),
	});
});

asUsers('a pipeline in the middle of its work ends with the right result', async (t, stage) => {
	const script = join(stage.dir, 'pipeline.sh');
	writeFileSync(
		script,
		`echo ready
(for i in $(seq 1 150); do echo $i; sleep 0.02; done) | while read -r n; do echo $((n * 2)); done | tee all | sort -rn | head -1 >largest
echo "largest $(cat largest) of $(wc -l <all)"
`,
	);
	const original = await stage.start(['bash', script]);
	await original.line(/^ready$/);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	const copy = await stage.thaw(file);
	t.is(await copy.end(30_000), 0);
	t.regex(copy.lines.join('\n'), /^largest 300 of 150$/m);
});

asUsers('a Python pool with shared memory ends with the right sums', async (t, stage) => {
	const script = join(stage.dir, 'pool.py');
	writeFileSync(
		script,
		`import multiprocessing as mp, time
def square(i):
    time.sleep(0.04); return i * i
def count(value, array):
    for k in range(60):
        with value.get_lock(): value.value += 1
        array[k] = k; time.sleep(0.05)
if __name__ == '__main__':
    value, array = mp.Value('i', 0), mp.Array('d', 60)
    counters = [mp.Process(target=count, args=(value, array)) for _ in range(2)]
    [p.start() for p in counters]
    with mp.Pool(2) as pool:
        answer = pool.map_async(square, range(150), chunksize=1)
        print('ready', flush=True)
        squares = sum(answer.get())
    [p.join() for p in counters]
    print('sums', squares, value.value, int(sum(array)), flush=True)
`,
	);
	const original = await stage.start([PYTHON, script]);
	await original.line(/^ready$/);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	const copy = await stage.thaw(file);
	t.is(await copy.end(30_000), 0);
	t.regex(copy.lines.join('\n'), /^sums 1113775 120 1770$/m);
	t.true(readFileSync(file).length > 0);
});
