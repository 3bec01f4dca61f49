import { randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";

/** Sooner than SIP asks for: mostly nobody listens yet. */
const REPEAT_MS = 100;

/**
 * Sends OPTIONS until something that speaks SIP answers, whatever it answers.
 * @param local address to send from
 * @returns the status, or undefined where none came within `limitMs`
 */
export const sipPing = async (
	local: string,
	address: string,
	port: number,
	limitMs: number,
): Promise<number | undefined> => {
	const socket = dgram.createSocket("udp4");
	// Nothing on the port yet: the system says so by an error, and the next repetition tries again.
	socket.on("error", () => undefined);
	socket.bind(0, local);
	await once(socket, "listening");
	const id = randomBytes(8).toString("hex");
	const source = `${local}:${socket.address().port}`;
	const request = [
		`OPTIONS sip:ping@${address}:${port} SIP/2.0`,
		`Via: SIP/2.0/UDP ${source};branch=z9hG4bK${id};rport`,
		"Max-Forwards: 70",
		`From: <sip:ping@${source}>;tag=${id}`,
		`To: <sip:ping@${address}:${port}>`,
		`Call-ID: ping-${id}`,
		"CSeq: 1 OPTIONS",
		`Contact: <sip:ping@${source}>`,
		"Accept: application/sdp",
		"Content-Length: 0",
		"",
		"",
	].join("\r\n");
	return await new Promise((resolve) => {
		const send = (): void => socket.send(request, port, address, () => undefined);
		const repeat = setInterval(send, REPEAT_MS);
		const finish = (status: number | undefined): void => {
			clearInterval(repeat);
			clearTimeout(limit);
			socket.close();
			resolve(status);
		};
		const limit = setTimeout(() => finish(undefined), limitMs);
		socket.once("message", (message) => {
			const status = /^SIP\/2\.0 (\d{3})/.exec(message.toString("latin1"))?.[1];
			finish(status === undefined ? undefined : Number(status));
		});
		send();
	});
};
