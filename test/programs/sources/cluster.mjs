/* A node cluster: the first process hands connections to two workers, and starts a new one for one that ends. */
import cluster from 'node:cluster';
import {createServer} from 'node:http';

const port = Number(process.argv[2]);
if (cluster.isPrimary) {
	let told = 0;
	cluster.on('message', (_worker, count) => {
		told += count;
	});
	cluster.on('exit', (worker, code, signal) => {
		console.log(`worker ${worker.process.pid} ended by ${signal ?? code}`);
		cluster.fork();
	});
	cluster.fork();
	cluster.fork();
	let listening = 0;
	cluster.on('listening', () => {
		if (++listening === 2) console.log('ready');
	});
	setInterval(() => {
		for (const worker of Object.values(cluster.workers)) worker.send({told}, () => undefined);
	}, 20);
	process.on('SIGTERM', () => {
		console.log(`told ${told}`);
		process.exit(3);
	});
} else {
	let heard = 0;
	let requests = 0;
	process.on('message', (message) => {
		heard = message.told;
	});
	createServer((_request, response) => {
		process.send(1);
		response.end(JSON.stringify({pid: process.pid, ppid: process.ppid, requests: ++requests, heard}));
	}).listen(port, '127.0.0.1');
}
