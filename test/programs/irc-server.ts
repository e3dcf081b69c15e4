/** The least of an IRC server that a client needs to connect, join and talk. */
import {createServer, type Server, type Socket} from 'node:net';

export class IrcServer {
	/** Connections that have registered, the present one included. */
	registered = 0;
	/** What clients said, "CHANNEL text". */
	readonly heard: string[] = [];
	private readonly clients = new Map<Socket, string>();

	private constructor(
		private readonly server: Server,
		readonly port: number,
	) {
		server.on('connection', (socket) => this.serve(socket));
	}

	static open(): Promise<IrcServer> {
		const server = createServer();
		return new Promise((resolve, reject) => {
			server.on('error', reject);
			server.listen(0, '127.0.0.1', () => resolve(new IrcServer(server, (server.address() as {port: number}).port)));
		});
	}

	get connected(): number {
		return this.clients.size;
	}

	/** Says something in a channel to every client. */
	say(channel: string, text: string): void {
		for (const socket of this.clients.keys()) socket.write(`:anna!anna@test PRIVMSG ${channel} :${text}\r\n`);
	}

	close(): void {
		for (const socket of this.clients.keys()) socket.destroy();
		this.server.close();
	}

	private serve(socket: Socket): void {
		let rest = '';
		this.clients.set(socket, '*');
		socket.setEncoding('utf8').on('data', (chunk: string) => {
			const lines = (rest + chunk).split('\n');
			rest = lines.pop()!;
			for (const line of lines) this.obey(socket, line.trim());
		});
		socket.on('error', () => undefined);
		socket.on('close', () => this.clients.delete(socket));
	}

	private obey(socket: Socket, line: string): void {
		const [command, ...words] = line.split(' ');
		const nick = this.clients.get(socket)!;
		const tell = (text: string) => socket.write(`:irc.test ${text}\r\n`);
		switch (command!.toUpperCase()) {
			case 'NICK':
				this.clients.set(socket, words[0]!.replace(/^:/, ''));
				break;
			case 'USER':
				this.registered++;
				for (const [number, text] of Object.entries({'001': 'Welcome', '002': 'Host', '003': 'Created'})) {
					tell(`${number} ${nick} :${text}`);
				}
				tell(`004 ${nick} irc.test test-1 io nt`);
				tell(`005 ${nick} CHANTYPES=# PREFIX=(ov)@+ NETWORK=test :are supported by this server`);
				tell(`422 ${nick} :No message of the day`);
				break;
			case 'CAP':
				if (words[0] === 'LS') tell('CAP * LS :');
				break;
			case 'JOIN':
				// irssi asks for nothing at first, to see whether it is registered.
				if (nick === '*') tell('451 * :You have not registered');
				if (nick === '*') break;
				socket.write(`:${nick}!user@test JOIN ${words[0]}\r\n`);
				tell(`353 ${nick} = ${words[0]} :${nick} anna`);
				tell(`366 ${nick} ${words[0]} :End of names`);
				break;
			case 'MODE':
				if (words.length === 1) tell(`324 ${nick} ${words[0]} +nt`);
				break;
			case 'WHO':
				tell(`315 ${nick} ${words[0]} :End of who`);
				break;
			case 'PING':
				tell(`PONG irc.test ${words[0]}`);
				break;
			case 'PRIVMSG':
				this.heard.push(`${words[0]} ${words.slice(1).join(' ').replace(/^:/, '')}`);
				break;
			case 'QUIT':
				socket.end();
		}
	}
}
