import { randomInt } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { tryLock } from "./lock.ts";

/** 254 loopback addresses that no other copy of this program uses. */
export interface AddressBlock {
	/** @param n 1 to 254 */
	address(n: number): string;
	/** Gives the block back; the kernel does so when the process ends. */
	release(): Promise<void>;
}

/**
 * Reserves a block of addresses 127.x.y.1 to .254 for this process, so that several stacks and test runs fit on one machine.
 * Linux answers on all of 127.0.0.0/8 without configuration.
 */
export const claimAddresses = async (): Promise<AddressBlock> => {
	for (;;) {
		// 127.0 and 127.1 are where people put services of their own.
		const block = `127.${randomInt(2, 255)}.${randomInt(0, 256)}`;
		const held = await tryLock(`addresses ${block}`);
		if (held === undefined) continue;
		return {
			address: (n) => {
				if (!Number.isInteger(n) || n < 1 || n > 254) throw new RangeError(`no address ${block}.${n}: 1 to 254`);
				return `${block}.${n}`;
			},
			release: held.release,
		};
	}
};

/** `preferred` where that is free on the address, else a free one. Another service may listen on all addresses. */
export const freeTcpPort = async (address: string, preferred: number): Promise<number> => {
	const server = net.createServer().listen(preferred, address);
	try {
		await once(server, "listening");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || preferred === 0) throw error;
		return freeTcpPort(address, 0);
	}
	const { port } = server.address() as net.AddressInfo;
	server.close();
	await once(server, "close");
	return port;
};

/** As freeTcpPort, for UDP. */
export const freeUdpPort = async (address: string, preferred: number): Promise<number> => {
	const socket = dgram.createSocket("udp4");
	socket.bind(preferred, address);
	try {
		await once(socket, "listening");
	} catch (error) {
		socket.close();
		if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || preferred === 0) throw error;
		return freeUdpPort(address, 0);
	}
	const { port } = socket.address();
	socket.close();
	await once(socket, "close");
	return port;
};
