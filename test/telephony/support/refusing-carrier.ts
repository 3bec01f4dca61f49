import { createSocket } from "node:dgram";

/** A carrier that answers OPTIONS and refuses every INVITE with 503, as one does whose customer is over its limit. */
export interface RefusingCarrier {
	/** Moments of first INVITEs, ms since 1970. */
	readonly refused: number[];
	stop(): Promise<void>;
}

const header = (message: string, name: string): string[] =>
	message
		.split("\r\n")
		.filter((line) => line.toLowerCase().startsWith(`${name}:`))
		.map((line) => line.slice(name.length + 1).trim());

export const startRefusingCarrier = async (address: string, port: number): Promise<RefusingCarrier> => {
	const socket = createSocket("udp4");
	const refused: number[] = [];
	const seen = new Set<string>();
	socket.on("message", (data, from) => {
		const message = data.toString();
		const method = message.slice(0, message.indexOf(" "));
		if (method !== "INVITE" && method !== "OPTIONS") return;
		const [callId = ""] = header(message, "call-id");
		if (method === "INVITE" && !seen.has(callId)) {
			seen.add(callId);
			refused.push(Date.now());
		}
		const status = method === "OPTIONS" ? "200 OK" : "503 Service Unavailable";
		const answer = [
			`SIP/2.0 ${status}`,
			...header(message, "via").map((via) => `Via: ${via}`),
			...header(message, "from").map((value) => `From: ${value}`),
			...header(message, "to").map((value) => `To: ${value};tag=refused`),
			`Call-ID: ${callId}`,
			...header(message, "cseq").map((value) => `CSeq: ${value}`),
			"Content-Length: 0",
			"",
			"",
		].join("\r\n");
		socket.send(answer, from.port, from.address);
	});
	await new Promise<void>((resolve, reject) => {
		socket.once("error", reject);
		socket.bind(port, address, resolve);
	});
	return { refused, stop: () => new Promise((resolve) => socket.close(() => resolve())) };
};
