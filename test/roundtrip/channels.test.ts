/** Channels within the target, with what is in them: each kind by a target of its own, frozen once and frozen twice in a row. */
import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import {asOrdinaryUser, asRoot, asUsers, Skipped} from '../helpers/users.js';

const table: Record<string, Record<string, string>> = {
	tcp: {
		four: 'a TCP connection within keeps its addresses and what waits in both directions',
		six: 'a TCP connection of IPv6',
		mapped: 'a TCP connection between IPv4 and IPv6',
		alone: 'a TCP connection whose listener has been closed and whose client had chosen its port',
		options: 'the options of both ends of a TCP connection',
		half: 'a TCP connection of which one direction is shut down',
		widow: 'a TCP connection whose other end has closed keeps what was left in it',
		over: 'a TCP connection that has ended in both directions keeps what was left in it',
		large: 'a TCP connection with more in it than a new one takes at once',
		pending: 'TCP connections that are not accepted yet',
		many: 'a hundred TCP connections at one port',
		tree: 'a TCP connection between a parent and its child',
		busy: 'TCP connections in the midst of a conversation at full speed',
		udp: 'UDP datagrams that were not read yet, with their senders',
	},
	channels: {
		path: 'a UNIX connection through a path keeps the names of both ends',
		abstract: 'a UNIX connection through an abstract name',
		alone: 'seqpacket connections whose listener has been closed keep its name',
		moved: 'a UNIX connection whose path has been removed keeps its name',
		datagram: 'datagram sockets with names keep what waits, with its senders',
		autobound: 'sockets keep names that the kernel has chosen',
		shut: 'UNIX connections that are shut down',
		flight: 'descriptors on their way, also inside of each other',
		told: 'messages that tell who has sent them',
		peer: 'UNIX connections tell who has made them',
		pending: 'UNIX connections that are not accepted yet keep their order',
		tasks: 'pipes of several tasks keep packets, sizes and flags',
		fifo: 'FIFOs of several tasks keep what waits, and their sizes',
	},
};

const PYTHON = '/usr/bin/python3';
const REDIS = ['/usr/bin/redis-server', '/usr/bin/redis-benchmark', '/usr/bin/redis-cli'];

for (const [target, cases] of Object.entries(table)) {
	for (const [name, title] of Object.entries(cases)) {
		asUsers(title, async (t, stage) => {
			await roundTrip(t, stage, [stage.target(target), name]);
		});
		asUsers(`${title}: ended, resumed, and frozen again`, async (t, stage) => {
			await roundTrip(t, stage, [stage.target(target), name], {halt: true, generations: 2});
		});
	}
}

asRoot('a TCP connection that is full keeps also what is still with the sender', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('tcp'), 'full']);
});

asOrdinaryUser(
	'a TCP connection that is full is refused by name where its sender cannot be looked at',
	async (t, stage) => {
		const original = await stage.start([stage.target('tcp'), 'full']);
		await ready(original);
		const {stderr} = await stage.freeze(original.pid, {code: 3});
		t.regex(stderr, /^frore: process \d+, fd \d+: a TCP socket .*buffer is full.*--allow socket-queue/m);
		await judged(t, original, 'the original');
	},
);

for (const [target, told] of [
	['tcp', 'TCP'],
	['channels', 'UNIX'],
] as const) {
	asUsers(`what was sent through a ${told} connection that is not accepted is refused by name`, async (t, stage) => {
		const original = await stage.start([stage.target(target), 'unseen']);
		await ready(original);
		const {stderr} = await stage.freeze(original.pid, {code: 3});
		t.regex(stderr, /^frore: process \d+, fd \d+: .*not accepted yet.*--allow socket-queue/m);
		await judged(t, original, 'the original');
	});
}

asUsers(
	'one end of a connection can be replaced, at the freeze and at the resume: the other one has ended',
	async (t, stage) => {
		for (const [target, name, fd] of [
			['tcp', 'widow-live', 4],
			['channels', 'widow-live', 3],
		] as const) {
			const original = await stage.start([stage.target(target), name]);
			await ready(original);
			const {file} = await stage.freeze(original.pid);
			const chosen = await stage.freeze(original.pid, {halt: true, args: ['--fd', `${fd}=null`]});
			await original.end();
			for (const [artefact, args] of [
				[chosen.file, []],
				[file, ['--fd', `${fd}=null`]],
			] as const) {
				const copy = await stage.thaw(artefact, [...args]);
				await alive(copy);
				await judged(t, copy, 'the copy');
			}
		}
	},
);

asUsers('connections within a program that goes on refuse a second one, with their port', async (t, stage) => {
	const original = await stage.start([stage.target('tcp'), 'alone']);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	const refused = await stage.run([file]);
	t.is(refused.code, 125);
	t.regex(refused.stderr, /^frore: cannot have fd \d+ \(TCP port \d+\).*\n$/);
	t.true(refused.stderr.includes(String(original.pid)), `the holder is not named: ${refused.stderr}`);
	await judged(t, original, 'the original');
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy');
});

asUsers('a server at a UNIX socket and two clients below one shell come to the right sums', async (t, stage) => {
	writeFileSync(
		join(stage.dir, 'server.py'),
		`import socketserver, sys
class Adder(socketserver.StreamRequestHandler):
    def handle(self):
        total = 0
        for line in self.rfile:
            total += int(line)
            self.wfile.write(b'%d\\n' % total)
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
with Server('adder.socket', Adder) as server:
    server.serve_forever()
`,
	);
	writeFileSync(
		join(stage.dir, 'client.py'),
		`import itertools, os, socket, sys, time
step, answer = int(sys.argv[1]), 0
connection = socket.socket(socket.AF_UNIX)
for attempt in range(200):
    try:
        connection.connect('adder.socket')
        break
    except OSError:
        time.sleep(0.05)
lines = connection.makefile('rw')
for i in itertools.count():
    lines.write('%d\\n' % step); lines.flush()
    answer = int(lines.readline())
    assert answer == step * (i + 1), answer
    if i == 20: print('ready %d\\n' % step, end='', flush=True)
    if i > 100 and os.path.exists('enough'): break
    time.sleep(0.005)
print('right %d\\n' % step, end='', flush=True)
`,
	);
	const script = `${PYTHON} server.py & server=$!
${PYTHON} client.py 3 & one=$!
${PYTHON} client.py 7 & two=$!
wait $one && wait $two && kill $server && echo both`;
	const original = await stage.start(['sh', '-c', script]);
	await original.line(/^ready 3$/, 60_000);
	await original.line(/^ready 7$/, 60_000);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	const copy = await stage.thaw(file);
	writeFileSync(join(stage.dir, 'enough'), '');
	t.is(await copy.end(60_000), 0, copy.output);
	t.regex(copy.output, /^right 3$/m);
	t.regex(copy.output, /^right 7$/m);
	t.regex(copy.output, /^both$/m);
});

asUsers('redis and a benchmark with twenty connections below one shell lose and repeat nothing', async (t, stage) => {
	if (!REDIS.every((program) => existsSync(program))) throw new Skipped('redis is not installed');
	const [server, benchmark, client] = REDIS;
	const port = 20_000 + (process.pid % 10_000);
	const script = `${server} --port ${port} --bind 127.0.0.1 --save '' --appendonly no >/dev/null & server=$!
until ${client} -p ${port} ping >/dev/null 2>&1; do sleep 0.05; done
( until [ "$(${client} -p ${port} get counter:__rand_int__)" -gt 2000 ] 2>/dev/null; do :; done; echo ready ) &
${benchmark} -p ${port} -c 20 -n 60000 -t incr -q >/dev/null || echo failed
echo "count $(${client} -p ${port} get counter:__rand_int__)"
${client} -p ${port} shutdown nosave
wait $server; echo "server $?"`;
	const original = await stage.start(['bash', '-c', script]);
	await original.line(/^ready$/, 60_000);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	const copy = await stage.thaw(file);
	t.is(await copy.end(120_000), 0, copy.output);
	t.regex(copy.output, /^count 60000$/m);
	t.regex(copy.output, /^server 0$/m);
	t.notRegex(copy.output, /failed/);
});
