// Counts requests and ticks, and tells how many connections are open: node server.mjs PORT
import {createServer} from 'node:http';

let requests = 0;
let ticks = 0;
const names = new Map();
setInterval(() => ticks++, 20);

const server = createServer((request, response) => {
	const name = new URL(request.url, 'http://here').searchParams.get('name');
	if (name) names.set(name, (names.get(name) ?? 0) + 1);
	requests++;
	server.getConnections((_, connections) => {
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({pid: process.pid, requests, ticks, connections, names: Object.fromEntries(names)}));
	});
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => {
	console.log(`answered ${requests}`);
	process.exit(3);
});
