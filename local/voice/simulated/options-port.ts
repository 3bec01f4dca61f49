import dgram from "node:dgram";
import { once } from "node:events";

/** Lines that a reply takes over from its request. */
const ECHOED = /^(via|from|to|call-id|cseq)\s*:/i;

/** 200 to an OPTIONS; undefined for what is none. */
export const replyToOptions = (message: string): string | undefined => {
	if (!/^OPTIONS \S+ SIP\/2\.0\r\n/.test(message)) return undefined;
	const echoed = message.split("\r\n").filter((line) => ECHOED.test(line));
	return ["SIP/2.0 200 OK", ...echoed, "Content-Length: 0", "", ""].join("\r\n");
};

/**
 * The simulated carrier's own UDP port: calls go through the simulated network, but whoever asks over the real one (the agent does, for each trunk) is
 * answered as by a carrier. Where the port is another process's, nothing is answered here.
 * @param up whether it answers now
 * @returns closes it
 */
export const answerOptions = async (address: string, port: number, up: () => boolean): Promise<() => void> => {
	const socket = dgram.createSocket("udp4");
	socket.on("message", (message, from) => {
		const reply = up() ? replyToOptions(message.toString("latin1")) : undefined;
		if (reply !== undefined) socket.send(Buffer.from(reply, "latin1"), from.port, from.address, () => undefined);
	});
	socket.bind(port, address);
	try {
		await once(socket, "listening");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
		return () => undefined;
	}
	// A reply that cannot be sent is one that is lost.
	socket.on("error", () => undefined);
	socket.unref();
	let open = true;
	return () => {
		if (open) socket.close();
		open = false;
	};
};
