import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";

/**
 * A lock that the kernel gives back when its process ends, however it ends: a listening socket in Linux's abstract name space.
 * @returns undefined where another process has it
 */
export const tryLock = async (name: string): Promise<{ release(): Promise<void> } | undefined> => {
	const waiting = new Set<net.Socket>();
	const server = net.createServer((socket) => {
		waiting.add(socket);
		// A waiter that is gone leaves by an error or a close; either way it waits no more.
		socket.on("error", () => socket.destroy());
		socket.on("close", () => waiting.delete(socket));
	});
	server.listen(abstractName(name));
	try {
		await once(server, "listening");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
		throw error;
	}
	server.unref();
	return {
		release: async () => {
			const closed = once(server, "close");
			server.close();
			for (const socket of waiting) socket.destroy();
			await closed;
		},
	};
};

/** Waits for the lock as long as its holder lives. */
export const lock = async (name: string): Promise<{ release(): Promise<void> }> => {
	for (;;) {
		const held = await tryLock(name);
		if (held !== undefined) return held;
		await holderGone(name);
	}
};

const holderGone = (name: string): Promise<void> =>
	new Promise((resolve) => {
		const socket = net.connect(abstractName(name));
		// Refused: it was given back between the two attempts. The close that follows says the same.
		socket.on("error", () => socket.destroy());
		socket.on("close", () => resolve());
		socket.resume();
	});

/** Names of sockets hold 107 bytes. */
const abstractName = (name: string): string =>
	`\0burst-dialer-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
