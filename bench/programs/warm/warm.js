// A program that has been running for a while: objects, text, numbers and compiled code. Says "warm", then waits.
const {createHash} = require('node:crypto');

const users = new Map();
const log = [];
for (let id = 0; id < 150_000; id++) {
	const name = `user-${createHash('md5').update(String(id)).digest('hex').slice(0, 8)}`;
	users.set(id, {
		id,
		name,
		visits: id % 97,
		tags: [`t${id % 13}`, `g${id % 1009}`],
		seen: new Date(1.7e12 + id * 7919),
	});
	if (id % 5 === 0)
		log.push(JSON.stringify({level: 'info', user: name, path: `/item/${(id * 31) % 4096}`, ms: id % 250}));
}
const numbers = Float64Array.from({length: 1 << 20}, (_, i) => Math.sin(i) * 1000);
const index = Object.groupBy ? [...users.values()].map((user) => user.tags.join()) : [...users.values()].map(String);
globalThis.kept = {users, log, numbers, index, parsed: log.map((line) => JSON.parse(line))};
console.log('warm');
setInterval(() => undefined, 1 << 30);
